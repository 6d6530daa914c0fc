"""Words that nothing a person reads may use, since a native speaker would not say them there.

Each pattern is with what to say instead. A word that is right in some sentences is here only as
the phrase that is never right, so that the check raises no false alarm.
"""

import re

INSTEAD = {
    r"mend(?:s|ed|ing)?": "fix, fixed",
    r"by (?:itself|themselves)": "automatically; on its own",
    r"go(?:es|ing)? on": "continue, resume",
    r"in place of": "instead of",
    r"beside": "besides; next to; also",
    r"stands? (?:in(?! for)|there|on|under)": "is in; appears",
    r"told (?:of|nothing)|(?:is|are) told|tells? of": "notify, log, report, say, learn",
    r"nobody|somebody|everybody": "no one, someone, everyone, or the role: a reviewer",
    r"for ever": "forever; indefinitely",
    r"circles?": "cycle",
    r"left to end": "allowed to finish",
    r"looked at again": "rechecked",
    r"to blame": "caused it",
    r"of (?:its|their|your|one's|our|his) own|one's own": "its own, your own",
    r"(?:is|are) no (?:valid|length of time)": "is not a valid",
    r"one of both": "one of the two",
    r"a text(?! (?:box|editor|field|file|format))": "a string",
    r"begins?": "start",
    r"ended (?:well|badly)": "succeeded; did not succeed",
}
# A hyphen makes another word: "-----BEGIN CERTIFICATE", "stand-in".
REFUSED = re.compile(rf"(?<![-\w])(?:{'|'.join(INSTEAD)})(?![-\w])", re.IGNORECASE)


def refused_words(text: str) -> list[str]:
    """Return what the text says that it should not, also where a line break splits a phrase."""
    return REFUSED.findall(" ".join(text.split()))
