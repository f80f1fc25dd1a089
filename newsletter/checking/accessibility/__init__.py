"""Accessibility: what keeps people out, after the Email Markup Consortium, Parcel and WCAG 2.2."""
