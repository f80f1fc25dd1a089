"""What newsletter.toml, the environment and options say, checked once and passed down."""
