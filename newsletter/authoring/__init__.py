"""What editors do with files: issues, clippings, drafts, approvals, back issues."""
