import random
import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onecore.errors import InvalidInput
from oneflow.elasticity.evaluate import evaluate
from oneflow.elasticity.expression import MAX_DEPTH, MAX_LENGTH, differs_from_legacy, parse
from oneflow.elasticity.tree import Comparison, Group, Junction, Name, Not, Number, names_of, text_of


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("CUSTOM_ATT>40", "CUSTOM_ATT > 40"),
        ("  att   =3  ", "ATT = 3"),
        ("ATT==3", "ATT == 3"),
        ("ATT<>3", "ATT <> 3"),
        ("ATT!=3", "ATT != 3"),
        ("ATT>=3", "ATT >= 3"),
        ("ATT<=-3", "ATT <= -3"),
        ("ATT<-3.50", "ATT < -3.5"),
        ("3 < att", "3 < ATT"),
        ("1 = 1", "1 = 1"),
        ("a1_B > b", "A1_B > B"),
        ("\"cpu\" > 'mem'", "CPU > MEM"),
        ("A=40.50", "A = 40.5"),
        ("A=007", "A = 007"),
        ("A=40.0", "A = 40.0"),
        ("A=123456789012345678901.5", "A = 123456789012345680000.0"),
        ("A=0.00000001", "A = 0.00000001"),
        ("A>1&B>2&&C>3|D>4||E>5", "A > 1 & B > 2 && C > 3 | D > 4 || E > 5"),
        ("! ( A=1 )", "!(A = 1)"),
        ("!!A=1", "!!A = 1"),
        ("((A=1))", "((A = 1))"),
    ],
)
def test_an_expression_reads_and_is_given_back_with_single_spaces(text, normal):
    assert text_of(parse(text)) == normal
    assert parse(normal) == parse(text)


def test_not_binds_before_and_and_and_before_or():
    a, b, c = (Comparison(Name(name), "=", Number("1", 1.0)) for name in "ABC")
    assert parse("A=1 | B=1 & C=1") == Junction(("|",), (a, Junction(("&",), (b, c))))
    assert parse("A=1 & B=1 | C=1") == Junction(("|",), (Junction(("&",), (a, b)), c))
    assert parse("!A=1 & B=1") == Junction(("&",), (Not(a), b))
    assert parse("!(A=1 & B=1)") == Not(Group(Junction(("&",), (a, b))))


def test_the_attributes_of_an_expression_are_known():
    assert names_of(parse('a>1 & !("b"<c | A=2) & 3=4')) == {"A", "B", "C"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("A", "expected a comparison such as '>' at position 2, found the end"),
        ("A >", "expected a number or a name at position 4, found the end"),
        ("A > 1 B", "expected '&', '|' or the end at position 7, found 'B'"),
        ("(A > 1", "expected '&', '|' or ')' at position 7, found the end"),
        ("A > 1)", "expected '&', '|' or the end at position 6, found ')'"),
        ("A > 1 &", "expected a number, a name, '!' or '(' at position 8, found the end"),
        ("A\t> 1", "expected a comparison such as '>' at position 2, found '\\t'"),
        ("A > 1\n", "expected '&', '|' or the end at position 6, found '\\n'"),
        ("A > +1", "expected a number or a name at position 5, found '+'"),
        ("A > .5", "expected a number or a name at position 5, found '.'"),
        ("A > 1e3", "expected '&', '|' or the end at position 6, found 'e'"),
        ("A > 1.", "expected '&', '|' or the end at position 6, found '.'"),
        ("A > - 1", "expected a number or a name at position 5, found '-'"),
        ("A + B > 1", "expected a comparison such as '>' at position 3, found '+'"),
        ("A.B > 1", "expected a comparison such as '>' at position 2, found '.'"),
        ("_A > 1", "expected a number, a name, '!' or '(' at position 1, found '_'"),
        ("true", "expected a comparison such as '>' at position 5, found the end"),
        ("A > 1 and B > 1", "expected '&', '|' or the end at position 7, found 'a'"),
        ("A > 1 &&& B > 1", "expected a number, a name, '!' or '(' at position 9, found '&'"),
        ("A => 1", "expected a number or a name at position 4, found '>'"),
        ("\"A' > 1", "expected a number, a name, '!' or '(' at position 1, found '\"'"),
        ("A > \u0661", "expected a number or a name at position 5, found '\u0661'"),
        ("A > (1)", "expected a number or a name at position 5, found '('"),
        (f"A > {'9' * 400}", "the number at position 5 is too large"),
    ],
)
def test_what_does_not_read_is_refused_saying_where(text, reason):
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert caught.value.message.startswith("Parse error. '")
    assert caught.value.message.endswith(f"': {reason}")
    assert caught.value.context["reason"] == reason


def test_the_whole_text_is_quoted_in_the_error():
    with pytest.raises(InvalidInput, match=r"^Parse error\. 'ATT >> 3': expected a number or a name at pos"):
        parse("ATT >> 3")


def test_length_and_depth_have_limits():
    parse("A=1&" * ((MAX_LENGTH - 3) // 4) + "A=1")
    parse("(" * MAX_DEPTH + "A=1" + ")" * MAX_DEPTH)
    parse("!" * MAX_DEPTH + "A=1")
    with pytest.raises(InvalidInput, match="longer than 4096 characters"):
        parse("A=1" + " " * MAX_LENGTH)
    for opening in ("(", "!", "!("):
        with pytest.raises(InvalidInput, match=r"more than 64 levels of '!' and '\(' at position 65"):
            parse(opening * (MAX_LENGTH // 2))


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        ("A=1", False),
        ("A=1 & B=1 & C=1", False),
        ("A=1 | B=1 & C=1", False),
        ("A=1 & B=1 | C=1", True),
        ("A=1 | B=1 & C=1 | D=1", True),
        ("(A=1 & B=1) | C=1", False),
        ("A=1 & (B=1 | C=1)", False),
        ("!A=1", False),
        ("!A=1 & B=1", True),
        ("B=1 & !A=1", False),
        ("B=1 & !A=1 & C=1", True),
        ("!!A=1 & B=1", False),
        ("!(A=1) & B=1", True),
        ("!(A=1 & B=1)", False),
        ("A=1 & !(B=1 & C=1 | D=1)", True),
    ],
)
def test_a_text_that_older_servers_take_otherwise_is_told(text, differs):
    assert differs_from_legacy(text) is differs


def test_a_long_text_is_compared_without_trouble():
    assert differs_from_legacy("!A=1&" * 800 + "A=1")
    assert differs_from_legacy("A=1&B=1|" * 500 + "A=1")


ATOMS = 5


@st.composite
def texts(draw):
    """An expression over the attributes A, B, C…, each used once, as text."""
    names = iter("ABCDEFGH"[:ATOMS])

    def condition(depth):
        marks = draw(st.sampled_from(["", "", "!", "!!"]))
        if depth and draw(st.booleans()):
            return f"{marks}({joined(depth - 1)})"
        name = next(names, None)
        return f"{marks}{name}=1" if name else f"{marks}1=1"

    def joined(depth):
        text = condition(depth)
        for _ in range(draw(st.integers(0, 2))):
            text += draw(st.sampled_from(["&", "|", " && ", " || "])) + condition(depth)
        return text

    return joined(2)


def assignments(expression):
    names = sorted(names_of(expression))
    return [dict(zip(names, bits, strict=True)) for bits in product([0.0, 1.0], repeat=len(names))]


def by_python(text, values):
    """The reference: the precedence of Python's not, and, or is the usual one."""
    python = text.replace("&&", "&").replace("||", "|").replace("!", " not ")
    return eval(
        python.replace("=", "==").replace("&", " and ").replace("|", " or "),
        {"__builtins__": {}},
        dict(values),
    )


def by_older_servers(text, values):
    """The reference for the old meaning: & and | bind to the right alike, ! denies all that follows."""
    tokens = text.replace("&&", "&").replace("||", "|").replace(" ", "")
    at = 0

    def everything():
        nonlocal at
        left = one()
        if at < len(tokens) and tokens[at] in "&|":
            mark, at = tokens[at], at + 1
            right = everything()
            return (left and right) if mark == "&" else (left or right)
        return left

    def one():
        nonlocal at
        mark = tokens[at]
        at += 1
        if mark == "!":
            return not everything()
        if mark == "(":
            inside = everything()
            at += 1
            return inside
        at += 2
        return (values[mark] if mark.isalpha() else float(mark)) == float(tokens[at - 1])

    return everything()


@settings(deadline=None)
@given(texts())
def test_truth_is_that_of_the_usual_precedence(text):
    expression = parse(text)
    for values in assignments(expression):
        assert evaluate(expression, values).verdict is by_python(text, values)


@settings(deadline=None, max_examples=300)
@given(texts())
def test_a_text_is_told_to_differ_whenever_it_does(text):
    expression = parse(text)
    same = all(
        by_python(text, values) == by_older_servers(text, values) for values in assignments(expression)
    )
    if not same:
        assert differs_from_legacy(text)
    elif "1=1" not in text:
        assert not differs_from_legacy(text)


@settings(deadline=None)
@given(texts())
def test_the_text_of_an_expression_reads_as_the_same_expression(text):
    assert parse(text_of(parse(text))) == parse(text)


@settings(deadline=None)
@given(st.one_of(st.text(), st.text(alphabet="AB1.&|!()<>=\"'- \t", max_size=60)))
def test_any_text_reads_or_is_refused(text):
    try:
        parsed = parse(text)
    except InvalidInput as exc:
        assert exc.message.startswith("Parse error. '")
        assert exc.message.isprintable()
        position = exc.context["position"]
        assert isinstance(position, int)
        assert 1 <= position <= len(text) + 1
    else:
        assert parse(text_of(parsed)) == parsed
        evaluate(parsed, {})


def test_twenty_thousand_random_texts_take_less_than_five_seconds():
    source = random.Random(4)
    alphabet = "AbC19.&|!()<>= \"'-_\t\n+é"
    began = time.process_time()
    for _ in range(20_000):
        text = "".join(source.choices(alphabet, k=source.randrange(1, 80)))
        try:
            evaluate(parse(text), {"A": 1.0})
        except InvalidInput:
            continue
    assert time.process_time() - began < 5
