"""One YAML file as plain values, with the place of each.

Scalars stay text, exactly as written: what they mean is the model's to say. That is why `store: [0012]`,
`languages: [no]`, `09:00` and dates arrive as the lead sees them, whichever version of YAML they had in mind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from config.problems import Path, Problem, dotted

LARGEST_FILE = 1024 * 1024
MOST_VALUES = 100_000  # counted with what aliases repeat: 1 MiB written out holds fewer that mean anything
DEEPEST = 20
STANDARD = "tag:yaml.org,2002:"
PLAIN_TAGS = {"str", "int", "float", "bool", "null", "timestamp", "value", "merge"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Tree:
    """`data`: dict, list, str or None, nested. `marks`: where each key or item stands."""

    data: dict[str, Any] = field(default_factory=dict)
    marks: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    faulty: list[Path] = field(default_factory=list)  # where the problems are
    readable: bool = True  # False: `data` lacks what is in the file

    def problem(self, path: Path, message: str, remedy: str = "", mark: Mark | None = None) -> None:
        """Notes an error at `path`: at `mark`, else at the nearest place above that is written in a file."""
        mark = mark or self.mark(path)
        self.faulty.append(path)
        self.problems.append(Problem(mark.file, mark.line, mark.column, dotted(path), message, remedy))

    def mark(self, path: Path) -> Mark:
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks[path]


def read_tree(file: str, content: bytes) -> Tree:
    """Parses one file. Faults are in the tree's `problems`; what could be read is in `data`. Never raises."""
    tree = Tree(marks={(): Mark(file, 1, 1)})
    node = _compose(tree, file, content)
    if node is None:
        tree.readable = not tree.problems
        return tree
    if not isinstance(node, MappingNode):
        tree.problem((), "the file must consist of sections", "a first line such as sources:")
        tree.readable = False
        return tree
    built = _Builder(tree, file).build(node, ())
    tree.data = built if isinstance(built, dict) else {}
    return tree


def _compose(tree: Tree, file: str, content: bytes) -> Node | None:
    def fault(line: int, column: int, message: str, remedy: str = "") -> None:
        tree.problems.append(Problem(file, line, column, "", message, remedy))

    if len(content) > LARGEST_FILE:
        fault(1, 1, "the file is larger than 1 MiB", "a folder of several files.")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = error.start - before.rfind(b"\n")
        fault(before.count(b"\n") + 1, column, "this is not text in UTF-8", "saving the file as UTF-8.")
        return None
    try:
        node: Node | None = _parser().compose(text)
    except ReaderError as error:
        before_text = text[: error.position]
        column = error.position - before_text.rfind("\n")
        fault(before_text.count("\n") + 1, column, "there is a character that YAML does not allow")
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        fault(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, *_syntax(error))
    except (YAMLError, ValueError, LookupError, AssertionError) as error:
        # ruamel.yaml lets some of its own slips out on text that is hardly YAML.
        fault(1, 1, f"this is not valid YAML ({type(error).__name__})")
    else:
        return node
    return None


def _parser() -> YAML:
    parser = YAML(typ="safe", pure=True)
    parser.max_depth = DEEPEST
    parser.composer.warn_double_anchors = False  # the later one counts, as YAML has it
    return parser


def _syntax(error: MarkedYAMLError) -> tuple[str, str]:
    """The parser's words, and a remedy for the slips that leads really make."""
    problem = (error.problem or error.context or "it cannot be read").strip().splitlines()[0]
    if "maximum depth" in problem:
        return "the file is nested too deeply", "sections, names and settings only."
    if "'\\t'" in problem:
        return "a tab is used for indentation", "spaces."
    if "expected a single document" in (error.context or problem):
        return "the file holds several documents", "one file for each, without the line ---."
    if "undefined alias" in problem or "alphabetic or numeric character" in problem:
        return f"this is not valid YAML: {problem}", 'quotes around a value that starts with * or &: "*"'
    if "mapping values are not allowed" in problem:
        return "a colon stands where none is expected", "quotes around the value, or check the indentation."
    if "cannot start any token" in problem:
        return f"this is not valid YAML: {problem}", "quotes around the value."
    began = error.context_mark
    where = f" ({error.context}, which began in line {began.line + 1})" if began and error.context else ""
    return (
        f"this is not valid YAML: {problem}{where}",
        "check brackets, quotes and indentation here and above.",
    )


class _Builder:
    def __init__(self, tree: Tree, file: str) -> None:
        self.tree = tree
        self.file = file
        self.values = 0
        self.open: set[int] = set()  # the collections around the present one, by identity

    def build(self, node: Node, path: Path) -> Any:
        """The plain value of `node`; None where it cannot be used (the problem is noted then)."""
        self.values += 1
        if self.values > MOST_VALUES:
            if self.values == MOST_VALUES + 1:
                self.tree.problem((), "the file holds too many values", "fewer aliases (*name).")
            return None
        if isinstance(node, ScalarNode):
            return self.scalar(node, path)
        if id(node) in self.open:
            self.tree.problem(path[:3], "this contains itself")
            return None
        if node.tag not in (STANDARD + "map", STANDARD + "seq"):
            self.tree.problem(path, f"the tag {str(node.tag)!r} has no meaning here", "the plain value.")
            return None
        self.open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self.mapping(node, path)
            return [self.item(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self.open.discard(id(node))

    def item(self, node: Node, path: Path) -> Any:
        self.mark(node, path)
        return self.build(node, path)

    def scalar(self, node: ScalarNode, path: Path) -> str | None:
        text: str = node.value
        if str(node.tag).removeprefix(STANDARD) not in PLAIN_TAGS:
            self.tree.problem(path, f"the tag {str(node.tag)!r} has no meaning here", "the plain value.")
            return None
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
            self.tree.problem(path, "there is a character in it that no text may hold")
            return None
        return None if node.tag == STANDARD + "null" else text

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own: set[str] = set()
        # Merged ones first, so that a place in the mapping itself wins over the place of what it overrides.
        for key_node, value_node in node.value:
            if key_node.tag == STANDARD + "merge":
                self.merge(value_node, path, result)
        for key_node, value_node in node.value:
            if key_node.tag == STANDARD + "merge":
                continue
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str) or not key.isprintable() or not key.strip():
                self.mark(key_node, (*path, ""))
                self.tree.problem((*path, ""), "a name must be plain text in one line")
                continue
            if key in own:
                first = self.tree.marks[*path, key].line
                self.mark(key_node, (*path, key))
                self.tree.problem(
                    (*path, key), f"this is given twice, first in line {first}", "one of the two."
                )
                continue
            own.add(key)
            self.mark(key_node, (*path, key))
            result[key] = self.build(value_node, (*path, key))
        return result

    def merge(self, node: Node, path: Path, result: dict[str, Any]) -> None:
        """`<<: *defaults`: takes over what the mapping does not say itself."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            merged = self.build(source, path) if isinstance(source, MappingNode) else None
            if not isinstance(merged, dict):
                self.tree.problem(path, "<< takes over a mapping only", "<<: *name")
                continue
            for key, value in merged.items():
                result.setdefault(key, value)

    def mark(self, node: Node, path: Path) -> None:
        self.tree.marks[path] = Mark(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
