"""The preview: an issue as each kind of reader will see it, live while it is written."""
