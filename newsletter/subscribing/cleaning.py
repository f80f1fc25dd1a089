"""Turn what people type into an address that can be mailed, or say what is wrong with it."""

from __future__ import annotations

from newsletter.domain import addresses, errors


def clean(text: str) -> str:
    """Return an address as it is stored: host in lower case and ASCII, the local part as it was typed.

    Raises:
        AddressError: it is no address, or none that mail can reach (RFC 5321, RFC 6531, RFC 5890).
    """
    text = text.strip().removeprefix("mailto:")
    return addresses.plain(text) or _checked(text)


def _checked(text: str) -> str:
    import email_validator

    try:
        found = email_validator.validate_email(text, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError as error:
        shown = text if len(text) <= 80 else f"{text[:79]}…"
        raise errors.AddressError(
            f"“{shown}” is not a mail address: {_said(error)}", hint="write it as name@example.org"
        ) from None
    return f"{found.local_part}@{found.ascii_domain}"


def _said(error: Exception) -> str:
    sentence = str(error).rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def address_or_domain(text: str) -> str:
    """Return an address, or a domain in lower case and ASCII.

    Raises:
        AddressError: it is neither.
    """
    if "@" in text.strip().lstrip("@"):
        return clean(text)
    return clean(f"a@{text.strip().lstrip('@')}").partition("@")[2]
