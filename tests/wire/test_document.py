"""Requests whose members are replaced in place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.base.errors import InvalidRequest
from headgate.wire.document import MAX_MEMBERS, MAX_WRITTEN, Document

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
names = st.text(max_size=6)
objects = st.dictionaries(names, values, max_size=6).filter(lambda o: len({n.casefold() for n in o}) == len(o))
spaces = st.text(alphabet=" \t\r\n", max_size=3)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """An object and one of the ways to write it: any whitespace, escapes or none."""
    members = draw(objects)
    ascii_only = draw(st.booleans())

    def dumped(value: object) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)

    def space() -> str:
        return draw(spaces)

    parts = [f"{space()}{dumped(k)}{space()}:{space()}{dumped(v)}{space()}" for k, v in members.items()]
    return members, f"{space()}{{{','.join(parts) or space()}}}{space()}".encode()


@given(bodies(), st.dictionaries(names, st.none() | values.map(lambda value: [value]), max_size=4))
def test_replacing_members_is_a_dict_update(body: tuple[dict[str, Any], bytes], changes: dict[str, Any]) -> None:
    """The new body parses to the old members with the changes applied, in the old order; None takes a member out."""
    members, text = body
    replaced = Document(text).replace({n: None if v is None else json.dumps(v).encode() for n, v in changes.items()})
    expected = {**members, **changes}
    expected = {name: value for name, value in expected.items() if name not in changes or value is not None}
    assert json.loads(replaced) == expected
    assert list(json.loads(replaced)) == list(expected)


@given(bodies(), st.data())
def test_every_other_byte_stays(body: tuple[dict[str, Any], bytes], data: st.DataObject) -> None:
    """Replacing one member leaves what stands before and after its value as it was."""
    members, text = body
    document = Document(text)
    assert document.replace({}) == text
    if members:
        name = data.draw(st.sampled_from(sorted(members)))
        value = document.get(name)
        assert value is not None
        new = b'"a value that is not in there"'
        replaced = document.replace({name: new})
        at = replaced.index(new)
        assert text[:at] == replaced[:at]
        assert text[at:] == value + replaced[at + len(new) :]


@given(
    objects,
    st.sampled_from([(",", ":"), (", ", ": ")]),
    st.booleans(),
    st.dictionaries(names, st.none() | values.map(lambda value: [value]), max_size=4),
)
def test_a_body_keeps_the_style_it_is_written_in(
    members: dict[str, Any], style: tuple[str, str], ascii_only: bool, changes: dict[str, Any]
) -> None:
    """With and without space around members, short and so long that it is not written again: members stay as sent."""

    def dumped(value: object) -> str:
        return json.dumps(value, separators=style, ensure_ascii=ascii_only)

    for filling in ({}, {"a long prompt": "x" * MAX_WRITTEN}):
        before = {**members, **filling}
        after = {name: value for name, value in {**before, **changes}.items() if changes.get(name, 0) is not None}
        new = {name: None if value is None else dumped(value).encode() for name, value in changes.items()}
        replaced = Document(dumped(before).encode()).replace(new)
        assert [Document(replaced).get(name) for name in after] == [dumped(value).encode() for value in after.values()]
        if after.keys() <= before.keys():
            assert replaced == dumped(after).encode()


@given(bodies())
def test_members_are_read_as_they_were_written(body: tuple[dict[str, Any], bytes]) -> None:
    """Names, raw members and decoded members agree with a plain parser."""
    members, text = body
    document = Document(text)
    assert document.names() == tuple(members)
    assert len(document) == len(members)
    assert document.decode() == members
    for name, value in members.items():
        assert name in document
        assert document.value(name) == value
        assert json.loads(document.get(name) or b"") == value
    assert document.get("not there") is None
    assert document.value("not there") is None


@given(bodies(), st.data())
def test_a_member_sent_twice_is_refused(body: tuple[dict[str, Any], bytes], data: st.DataObject) -> None:
    """Wherever the second one stands, whatever it holds, and however its name is written."""
    members, _ = body
    pairs = [(json.dumps(k), json.dumps(v)) for k, v in members.items()]
    if not pairs:
        return
    again = data.draw(st.sampled_from(sorted(members)))
    written = data.draw(st.sampled_from([json.dumps(again), json.dumps(again, ensure_ascii=False), escaped(again)]))
    value = data.draw(st.sampled_from([value for _, value in pairs]) | values.map(json.dumps))
    pairs.insert(data.draw(st.integers(0, len(pairs))), (written, value))
    text = "{" + ",".join(f"{k}:{v}" for k, v in pairs) + "}"
    with pytest.raises(InvalidRequest) as raised:
        Document(text.encode())
    assert raised.value.message.startswith("Duplicate member `")


def escaped(text: str) -> str:
    units = text.encode("utf-16-be")
    return '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)) + '"'


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"cheap","model":"dear"}', "model"),
        (b'{"model":"cheap","n":1,"model":"cheap"}', "model"),
        (b'{"model":"cheap","\\u006dodel":"dear"}', "model"),
        (b'{"n":12,"n":1}', "n"),
        (b'{"n":12,"m":0,"n":1}', "n"),
        (b'{"n":1,"n":12}', "n"),
        (b'{"a":"\\"b\\":1","b":2,"b":3}', "b"),
        # Lengths alone would add up here: each name is found where its value could be, up to the closing brace.
        (b'{"a":1,"b":"y","a":{"q":0      ,"b":99}}', "a"),
    ],
)
def test_the_duplicate_is_named(body: bytes, param: str) -> None:
    """The error names the member that was sent twice."""
    with pytest.raises(InvalidRequest) as raised:
        Document(body)
    assert raised.value.param == param
    assert f"`{param}`" in raised.value.message


@pytest.mark.parametrize(
    ("one", "other"), [("model", "Model"), ("stream", "\u017ftream"), ("max_tokens", "MAX_TOKENS")]
)
def test_names_that_differ_only_in_case_are_refused(one: str, other: str) -> None:
    """Providers written in Go match names without regard to case: two such members could be taken for one another."""
    with pytest.raises(InvalidRequest) as raised:
        Document(json.dumps({one: 1, other: 2}, ensure_ascii=False).encode())
    assert raised.value.param == other
    assert one in raised.value.message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no body"),
        (b" ", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"a":1', "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b'{"a":1} x', "not valid JSON"),
        (b'{"a":NaN}', "not valid JSON"),
        (b'{"a":[Infinity]}', "not valid JSON"),
        (b'{"a":01}', "not valid JSON"),
        (b"{'a':1}", "not valid JSON"),
        (b'\xef\xbb\xbf{"a":1}', "not valid JSON"),
        (b'{"a":"\xff"}', "not valid UTF-8"),
        (b'{"a":{"b":"\xc0\x80"}}', "not valid UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not valid UTF-8"),
        (b'{"\xff":1}', "not valid UTF-8"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (json.dumps(dict.fromkeys(map(str, range(MAX_MEMBERS + 1)))).encode(), "more than 1000 members"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, says: str) -> None:
    """With a sentence that says what is wrong."""
    with pytest.raises(InvalidRequest) as raised:
        Document(body)
    assert says in raised.value.message


def test_as_many_members_as_allowed_are_taken() -> None:
    """The limit itself is inside."""
    assert len(Document(json.dumps(dict.fromkeys(map(str, range(MAX_MEMBERS)))).encode())) == MAX_MEMBERS


def test_typed_members() -> None:
    """Each reader takes its type; absent and null are None."""
    document = Document(b'{"s":"x\\u00e9","b":true,"i":7,"z":null,"o":{"in":{"n":1}}}')
    assert document.string("s") == "xé"
    assert document.boolean("b") is True
    assert document.integer("i") == 7
    nested = document.object("o")
    assert nested is not None
    assert nested.get("in") == b'{"n":1}'
    for name in ("z", "absent"):
        read = document.string(name), document.boolean(name), document.integer(name), document.object(name)
        assert read == (None, None, None, None)


@pytest.mark.parametrize(
    ("reader", "value", "says"),
    [
        ("string", "1", "`m` must be a string."),
        ("boolean", '"true"', "`m` must be true or false."),
        ("boolean", "1", "`m` must be true or false."),
        ("integer", "true", "`m` must be an integer from 0 to 9007199254740991."),
        ("integer", "-1", "`m` must be an integer from 0 to 9007199254740991."),
        ("integer", "1.0", "`m` must be an integer from 0 to 9007199254740991."),
        ("integer", '"1"', "`m` must be an integer from 0 to 9007199254740991."),
        ("integer", "9007199254740992", "`m` must be an integer from 0 to 9007199254740991."),
        ("integer", "1" * 5_000, "`m` must be"),
        ("integer", "1e999", "`m` must be"),
        ("object", "[]", "`m` must be a JSON object."),
    ],
)
def test_a_member_of_another_type_is_refused_by_name(reader: str, value: str, says: str) -> None:
    """The error carries the name as `param` and says what it must be."""
    document = Document(f'{{"m":{value}}}'.encode())
    with pytest.raises(InvalidRequest) as raised:
        getattr(document, reader)("m")
    assert raised.value.param == "m"
    assert raised.value.message.startswith(says)


def test_errors_inside_a_nested_object_name_the_path() -> None:
    """A nested document knows where it stands in the request."""
    options = Document(b'{"stream_options":{"include_usage":1}}').object("stream_options")
    assert options is not None
    with pytest.raises(InvalidRequest) as raised:
        options.boolean("include_usage")
    assert raised.value.param == "stream_options.include_usage"
    with pytest.raises(InvalidRequest) as raised:
        Document(b'{"o":{"a":1,"a":2}}').object("o")
    assert raised.value.param == "o.a"


def test_escaped_surrogate_pairs_are_taken() -> None:
    """A character beyond the basic plane may be written as two escapes."""
    assert Document(b'{"m":"\\ud83d\\ude00"}').string("m") == "😀"
