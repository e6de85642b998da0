"""The English sentences of a docstring, in order, without its code, tables, formulas and markup.

Rules, not a model: a docstring has few shapes (numpydoc, Google style, reStructuredText, the standard library's plain
text), and a rule can be read and tested. What is doubtful is dropped: a lost sentence costs less than a line of code
taken for English.
"""

import re

# Sections whose content is a table of names, not prose.
TABLE_SECTIONS = frozenset(
    "parameters|other parameters|additional parameters|parameter|params|args|arguments|keyword arguments|keyword args"
    "|kwargs|keywords|inputs|input|outputs|output|returns|return|return value|yields|receives|raises|raise|throws|warns"
    "|attributes|attribute|properties|methods|see also|references|reference|citations|shape|shapes|fields|options"
    "|usage|signature|type parameters|class attributes|instance attributes|members|exceptions|index|todo".split("|")
)
# Headings over prose: the label goes, the text stays.
PROSE_SECTIONS = frozenset(
    "note|notes|warning|warnings|example|examples|description|details|remarks|summary|important|tip|caution".split("|")
)
PROSE_DIRECTIVES = frozenset("note warning tip important caution hint attention admonition topic".split())

ABBREVIATIONS = frozenset(
    "e.g i.e eg ie cf vs viz al approx resp fig figs eq eqs eqn eqns sec sect ch chap ref refs nos vol pp p ed eds "
    "dr mr mrs ms prof st jr sr inc ltd dept univ proc trans conf a.k.a aka w.r.t wrt s.t incl excl".split()
)

_UNDERLINE = re.compile(r"([=\-~^\"'`*+#_.:])\1{2,}$")
_RULE = re.compile(r"[=\-+|~ ]{4,}$")
_DIRECTIVE = re.compile(r"\.\.(\s|$)(?:([\w-]+)::\s*(.*))?")
_FIELD = re.compile(r":[A-Za-z][\w *.,-]*:(?!`)")
_LABEL = re.compile(r"([A-Za-z][A-Za-z ]*?)\s*::?\s*$")
_ITEM = re.compile(r"(?:[-*+\u2022]|\(?(?:\d{1,2}|[a-z])[.)]|#\.)\s+(?=\S)")
_DEFINITION = re.compile(
    r"[\w*.`'\"\[\](),-]+(?: [\w*.`'\"\[\](),-]+){0,3}\s+(?::|--)\s+\S|[\w.*`'\"]+(?:\([^)]*\))?\s*(?:--|:\s{2,})\s*\S"
)
_CODE_LINE = re.compile(r"(?:>>>|\$ |% |In \[\d*\]|C:\\|@\w|#!|```)")

_END = re.compile(r"(?<=\S)[.!?]+[\"')\]]*\s+(?=[\"'(\[]*(?:[A-Z0-9]|[a-z]\w*[_.(]\w))")
_OPENING = re.compile(r"[\"'(]?(?:[A-Z]|[a-z]\w*[_.(]\w)")
_CLOSING = re.compile(r"[A-Za-z0-9)\]\"'][.!?]+[\"')\]]*$")
_CODE = re.compile(r"[\\{}|^~@$#<>*]|;\S|->|==|:=|::|\+\+|//|_\(|\w\[|%\(")
_WORD = re.compile(r"[\"'(]*[A-Za-z]+(?:[-'/][A-Za-z]+)*[\"'):,.!?]*")

_TYPOGRAPHY = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "--", "…": "...", "\xa0": " "})


def clean(docstring: str) -> str:
    """The docstring as people read it: tabs expanded, common indentation and outer blank lines removed.

    Like `inspect.cleandoc`, but written out here, because that differs between Python versions, and the corpus is
    chosen by the hash of this text.
    """
    lines = [line.rstrip() for line in docstring.expandtabs().split("\n")]
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines[1:] if line), default=0)
    return "\n".join([lines[0].lstrip(" ")] + [line[margin:] for line in lines[1:]]).strip("\n")


def paragraphs(text: str) -> list[str]:
    """The prose paragraphs of a cleaned docstring, each on one line, markup still inside."""
    lines = text.split("\n")
    found: list[list[str]] = [[]]
    in_table = False  # inside a numpydoc section of names
    dropped_below = None  # drop lines indented deeper than this
    indent_before = 0
    fenced = False
    skip_to_blank = False

    def end():
        if found[-1]:
            found.append([])

    for number, line in enumerate(lines):
        body = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if body.startswith("```"):
            fenced = not fenced
            end()
            continue
        if fenced:
            continue
        if not body:
            end()
            skip_to_blank = False
            continue
        if skip_to_blank:
            continue
        if dropped_below is not None:
            if indent > dropped_below:
                continue
            dropped_below = None
        below = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if _UNDERLINE.match(below) and len(below) >= min(3, len(body)) and not _UNDERLINE.match(body):
            in_table = body.strip(":").lower() in TABLE_SECTIONS
            end()
            continue
        if _UNDERLINE.match(body) or in_table:
            end()
            continue
        if _RULE.match(body) or body.startswith(("|", "+-", "+=")):
            found[-1] = []  # a table: what stands directly above it is its head
            skip_to_blank = True
            continue
        if _CODE_LINE.match(body):
            end()
            skip_to_blank = True
            continue
        directive = _DIRECTIVE.match(body)
        if directive:
            end()
            if directive[2] in PROSE_DIRECTIVES:
                body = directive[3]
                indent_before = indent + 3
                if body:
                    found[-1].append(body)
            else:
                dropped_below = indent
            continue
        label = _LABEL.match(body)
        if label and label[1].lower() in TABLE_SECTIONS | PROSE_SECTIONS:
            end()
            if label[1].lower() in TABLE_SECTIONS or body.endswith("::"):
                dropped_below = indent
            continue
        item = _ITEM.match(body)
        if item:
            end()
            body = body[item.end() :]
            indent += item.end()
        elif indent != indent_before:
            end()
        if not found[-1] and (_FIELD.match(body) or _DEFINITION.match(body)):
            dropped_below = indent - (item.end() if item else 0)
            continue
        found[-1].append(body)
        indent_before = indent
        if body.endswith("::"):
            dropped_below = indent
            end()
    return [" ".join(parts) for parts in found if parts]


def plain(paragraph: str) -> str:
    """The paragraph without inline markup: roles, links, emphasis; typographic marks become ASCII."""
    text = paragraph.translate(_TYPOGRAPHY)
    text = re.sub(r"(\[\w+\])_", r"\1", text)  # citations: [1]_, [Knuth97]_
    text = re.sub(r":[\w:+-]+:`~?([^`<]*?)\s*(?:<[^`>]*>)?`", r"\1", text)  # :func:`numpy.dot`
    text = re.sub(r"`([^`<]+?)\s*<[^`>]*>`_{1,2}", r"\1", text)  # `text <link>`_
    text = re.sub(r"\[([^\]\[]+)\]\((?:https?:|#|/)[^)]*\)", r"\1", text)  # [text](link)
    text = re.sub(r"``(.+?)``|`([^`]+)`_{0,2}", lambda m: (m[1] or m[2]).lstrip("~.!"), text)
    text = re.sub(r"(?<![\w*])\*{1,2}(?=[^\s*])([^*]*[^\s*])\*{1,2}(?![\w*])", r"\1", text)
    text = re.sub(r"\|([A-Za-z]\w*)\|_?", r"\1", text)
    return " ".join(text.split())


def split(text: str) -> list[str]:
    """Cut a paragraph of plain text into sentences.

    A sentence ends at . ! or ?, with closing quotes and brackets, before white space and then a capital, a digit, a
    dotted or underscored name, or an opening quote or bracket; not after an abbreviation or an initial, and not inside
    round brackets.
    """
    cut, start = [], 0
    for match in _END.finditer(text):
        word = text[start : match.start()].rsplit(None, 1)[-1].lstrip("([\"'")
        if match[0].startswith(".") and not match[0].startswith(".."):
            number_follows = text[match.end()].isdigit()
            initial = len(word) == 1 and word.isupper() and word != "I"
            if word.lower() in ABBREVIATIONS or initial or (word.lower() == "no" and number_follows):
                continue
        sentence = text[start : match.end()].strip()
        if sentence.count("(") > sentence.count(")"):
            continue
        cut.append(sentence)
        start = match.end()
    rest = text[start:].strip()
    return [*cut, rest] if rest else cut


def is_english(sentence: str) -> bool:
    """Whether a candidate looks like one sentence of English prose.

    4 to 80 words, ASCII, opened by a capital (or a name such as `np.dot`), closed by . ! or ?, without an unclosed
    bracket or a sign that stands in code and formulas only, and at least three quarters of its words made of letters.
    """
    words = sentence.split()
    if not (4 <= len(words) <= 80 and sentence.isascii() and _OPENING.match(sentence) and _CLOSING.search(sentence)):
        return False
    if _CODE.search(sentence) or sentence.count("(") > sentence.count(")"):
        return False
    return sum(bool(_WORD.fullmatch(word)) for word in words) >= 0.75 * len(words)


def sentences(docstring: str) -> list[str]:
    """The English sentences of a docstring in their order; neighbours in the list may have had code between them."""
    kept = []
    for paragraph in paragraphs(clean(docstring)):
        kept += [sentence for sentence in split(plain(paragraph)) if is_english(sentence)]
    return kept
