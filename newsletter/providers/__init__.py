"""The providers: SMTP, email APIs and the outbox folder, each behind `newsletter.ports.Provider`."""
