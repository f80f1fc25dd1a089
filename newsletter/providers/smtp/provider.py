"""SMTP behind the port: any relay, from the mail server next door to a provider's submission host."""

from __future__ import annotations

import ssl

from newsletter import ports
from newsletter.domain import errors
from newsletter.providers.smtp import connection, pool
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.terms import Terms


class Smtp:
    """Hands messages to one SMTP server over several connections."""

    Options = SmtpOptions

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self._terms = Terms()
        self._lessons = pool.Lessons()

    @property
    def options(self) -> SmtpOptions:
        """What was set about the server."""
        return self._options

    @property
    def terms(self) -> Terms:
        """What the server offered at the last `probe`."""
        return self._terms

    @property
    def limits(self) -> ports.Limits:
        """What the server can carry; before `probe` only what the options say."""
        options, terms = self._options, self._terms
        return ports.Limits(
            max_bytes=terms.size,
            # Without BDAT one message is being answered for while the next has its envelope out.
            in_flight=options.connections * max(2, options.window),
            utf8_addresses=terms.utf8,
        )

    async def probe(self) -> str:
        """Connect, authenticate and leave again; return what the server offers.

        Raises:
            ProviderError: it cannot be reached, or refuses us.
        """
        context = self._context()
        link = await connection.dial(self._options, context)
        try:
            await link.log_in(context)
            self._terms = link.terms
            await link.leave()
        finally:
            link.transport.abort()
        return str(self._terms)

    async def send(self, feed: ports.Feed) -> None:
        """Draw messages from the feed until it is dry, and give a receipt for each one taken.

        Raises:
            ProviderRefusedError: the server refuses our credentials, our sender or this mailing's message.
            ProviderError: it cannot be reached any more.
        """
        crew = pool.Pool(self._options, feed, lessons=self._lessons, context=self._context())
        await crew.run()

    def _context(self) -> ssl.SSLContext | None:
        options = self._options
        if options.security is Security.NONE:
            return None
        try:
            context = ssl.create_default_context()
            if options.ca_file:
                context.load_verify_locations(options.ca_file)
        except OSError as error:
            why = error.strerror or str(error)
            raise errors.ProviderError(
                f"the certificates in {options.ca_file} cannot be read: {why}", hint="check ca_file"
            ) from error
        if not options.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
