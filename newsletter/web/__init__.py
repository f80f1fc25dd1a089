"""What strangers may reach: public pages without scripts, cookies or third-party requests."""
