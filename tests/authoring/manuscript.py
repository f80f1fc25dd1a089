"""An issue as its editors used to send it around: text in the digest's own layout."""

DIGEST = """



Two Harbours Digest

Vol: 2.23

December 15, 2023



Image Source: [Bay Courier](#)

Headlines:

- Ferry line carries its millionth passenger
- Lighthouse keepers & pilots sign a pact on fog
- School of joinery wins the regional prize

Details:

- The ferry line [carried](#) its **millionth passenger** on Dec. 9, two years after the first crossing. She \
[received](https://example.org/ferry/flowers) flowers and a free year.
- Lighthouse keepers and pilots [signed](#) a **pact on fog signals** in the customs house. The pact \
[names](#) one tone for each headland.
- **The school of joinery** won the regional prize for its [travelling shelves](#).

"Two Harbours Digest" is a bi-weekly summary compiled by [the harbour offices](#). To receive it, write to \
news@example.org
"""
