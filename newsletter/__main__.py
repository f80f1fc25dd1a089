"""Run the command line as `python -m newsletter`."""

from newsletter.cli.main import run

if __name__ == "__main__":
    run()
