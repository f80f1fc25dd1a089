"""The checks of a demanding newsroom: rules that look at an issue and say where it falls short."""

from newsletter.checking.catalogue import rule, rules
from newsletter.checking.glossaries import Glossary
from newsletter.checking.inspection import check, links
from newsletter.checking.places import Places
from newsletter.checking.reporting import explain, report, summary
from newsletter.checking.rulebook import Place
from newsletter.checking.subjects import ImageFacts, ImageLoader, Subject, personalise, sample_values
from newsletter.checking.tracking import Tracking, tracked

__all__ = [
    "Glossary",
    "ImageFacts",
    "ImageLoader",
    "Place",
    "Places",
    "Subject",
    "Tracking",
    "check",
    "explain",
    "links",
    "personalise",
    "report",
    "rule",
    "rules",
    "sample_values",
    "summary",
    "tracked",
]
