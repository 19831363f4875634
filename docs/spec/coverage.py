#!/usr/bin/env python3
"""Writes docs/spec-coverage.md: every normative statement of MQTT 3.1.1 and 5.0, where it is implemented, which test shows it.

Statements are in mqtt5.tsv and mqtt311.tsv. Code and tests name them: [MQTT-3.1.2-24], or MQTT_3_1_2_24 at the end of a test's
name, is one of 5.0; [MQTT-3.1.3-8] of 3.1.1, or MQTT311_3_1_3_8, one of 3.1.1. The numbers of the two specifications differ. Most
statements of 3.1.1 are ones of 5.0 under another number: those count as tested when the tests of these run on 3.1.1 too.

    coverage.py             writes the page
    coverage.py --check     fails when the page is not what would be written, or a server statement has no place in the code or no test

not-yet.tsv excuses statements from both, each with its reason.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'spec-coverage.md'
ID5 = re.compile(r'MQTT-(\d+\.\d+\.\d+-\d+)(?!\d)(?!\]? of 3\.1\.1)')
ID311 = re.compile(r'MQTT-(\d+\.\d+\.\d+-\d+)\]? of 3\.1\.1')
NAME5 = re.compile(r'MQTT_(\d+)_(\d+)_(\d+)_(\d+)')
NAME311 = re.compile(r'MQTT311_(\d+)_(\d+)_(\d+)_(\d+)')
TEST = re.compile(r'^    public (?:async )?(?:Task|void) (\w+)\(')
ATTRIBUTE = re.compile(r'^    \[.*\b(?:\w*Fact|\w*Theory)\b')
ON_311 = re.compile(r'EveryVersion|BothVersions|EveryQos|Mqtt311|Mqtt31\b')
WHO = {'S': 'server', 'C': 'client', 'B': 'both', 'N': 'another kind of server'}


def read_table(name, columns):
    rows = {}
    for line in (ROOT / 'docs' / 'spec' / name).read_text().splitlines():
        if line.startswith('#') or not line:
            continue
        cells = line.split('\t')
        if len(cells) != columns or cells[0] in rows or (columns > 2 and cells[1] not in WHO):
            sys.exit(f'{name}: not a row, or a second one of that id: {line}')
        rows[cells[0]] = cells[1:]
    return rows


def ids_in(line):
    """Statements that a line names, as ('5', id) or ('311', id)."""
    found = {('5', i) for i in ID5.findall(line)} | {('311', i) for i in ID311.findall(line)}
    found |= {('5', '{}.{}.{}-{}'.format(*m)) for m in NAME5.findall(line)}
    found |= {('311', '{}.{}.{}-{}'.format(*m)) for m in NAME311.findall(line)}
    return found


def sources():
    where = {}
    for path in sorted((ROOT / 'src').rglob('*.cs')):
        if '/obj/' in str(path) or '/bin/' in str(path):
            continue
        for line in path.read_text().splitlines():
            for key in ids_in(line):
                where.setdefault(key, {}).setdefault(path.name, path.relative_to(ROOT))
    return where


class Test:
    """A test method, or a table of cases that tests run through."""

    def __init__(self, name, path, on_311):
        self.name, self.path, self.on_311 = name, path, on_311


def parts(text):
    """Splits a file into its methods, each with the comments and attributes above it; the head of the file comes first."""
    lines = text.splitlines()
    starts = [0]
    for i, line in enumerate(lines):
        if TEST.match(line):
            top = i
            while top > 0 and re.match(r'^    (\[|///|//)', lines[top - 1]):
                top -= 1
            starts.append(top)
    for start, end in zip(starts, starts[1:] + [len(lines)]):
        yield lines[start:end]


def tests():
    shown = {}
    for path in sorted((ROOT / 'tests').rglob('*.cs')):
        if '/obj/' in str(path) or '/bin/' in str(path) or '/TestKit/' in str(path):
            continue
        text = path.read_text()
        relative = path.relative_to(ROOT / 'tests')
        is_corpus = path.name.startswith('MalformedCorpus')
        whole = Test(path.stem, relative, True)
        for block in parts(text):
            method = next((TEST.match(line).group(1) for line in block if TEST.match(line)), None)
            is_test = method and any(ATTRIBUTE.match(line) for line in block)
            body = '\n'.join(block)
            # Rules below the connection know no version.
            on_311 = relative.parts[0] in ('Grains.Tests', 'Protocol.Tests') or bool(ON_311.search(body))
            test = Test(f'{path.stem}.{method}', relative, on_311) if is_test else whole
            for line in block:
                for key in ids_in(line):
                    if is_test or is_corpus or line.lstrip().startswith('///'):
                        shown.setdefault(key, {})[test.name] = test
    return shown


def link(path, name):
    return f'[{name}](../{path})'


def few(links, most=3):
    return ', '.join(links[:most]) + (f' and {len(links) - most} more' if len(links) > most else '')


def cell(where):
    return few([link(path, path.stem) for path in where.values()])


def row(statement, who, what, code, found):
    proof = few([link(Path('tests') / t.path, t.name.replace('_', ' ')) for t in found], 2)
    return f'| {statement} | {WHO[who]} | {what} | {cell(code)} | {proof} |'


def main():
    five, old = read_table('mqtt5.tsv', 3), read_table('mqtt311.tsv', 4)
    excused = read_table('not-yet.tsv', 2)
    code, shown = sources(), tests()
    unknown = sorted({k for k in list(code) + list(shown) if k[1] not in (five if k[0] == '5' else old)})
    if unknown:
        sys.exit('ids that the specification does not have: ' + ', '.join(f'{v}: MQTT-{i}' for v, i in unknown))

    gaps, homeless, idle, tables, counts = [], [], [], {}, {}

    def add(version, number, who, what, where, found):
        title = f'MQTT-{number}'
        is_server = who in 'SB'
        counts.setdefault(version, []).append((is_server, bool(where), bool(found)))
        note = excused.get(f'{version} {number}')
        if is_server and not found and not note:
            gaps.append(f'{version}: {title}: {what}')
        if is_server and not where and not note:
            homeless.append(f'{version}: {title}: {what}')
        if note and found:
            idle.append(f'{version} {number}')
        elif note:
            what = f'{what} *({note[0]})*'
        tables.setdefault(version, []).append(row(title, who, what, where, found))

    for number, (who, what) in five.items():
        add('5.0', number, who, what, code.get(('5', number), {}), list(shown.get(('5', number), {}).values()))

    for number, (who, same, what) in old.items():
        twins = [] if same == '-' else same.split()
        where = dict(code.get(('311', number), {}))
        found = dict(shown.get(('311', number), {}))
        by_twin = [{n: t for n, t in shown.get(('5', twin), {}).items() if t.on_311} for twin in twins]
        for twin in twins:
            where.update(code.get(('5', twin), {}))
        # Through others only when each of them is shown, or is the client's business.
        if all(by_twin[i] or five[twins[i]][0] == 'C' for i in range(len(twins))):
            for one in by_twin:
                found.update(one)
        add('3.1.1', number, who, what, where, list(found.values()))

    lines = [
        '# Coverage of the specifications', '',
        'Written by `docs/spec/coverage.py` from the ids in code and tests; `./test.sh` checks that it is up to date. The statements are',
        'in our own words; what counts is the text of the specification. "Both" and "server" ask something of the broker; "client" is shown',
        'where the broker checks it. Where 3.1.1 asks the same as 5.0, tests of the one that run on 3.1.1 show the other.', '',
        '| | statements | for the server | with a place in the code | with a test |', '|---|---:|---:|---:|---:|']
    for version in ('5.0', '3.1.1'):
        server = [(placed, tested) for is_server, placed, tested in counts[version] if is_server]
        placed, tested = (sum(one) for one in zip(*server))
        lines.append(f'| MQTT {version} | {len(counts[version])} | {len(server)} | {placed} | {tested} |')
    for title, missing in (('Without a place in the code', homeless), ('Without a test', gaps)):
        if missing:
            lines += ['', f'## {title}: {len(missing)}', ''] + [f'- {one}' for one in missing]
    for version in ('5.0', '3.1.1'):
        lines += ['', f'## MQTT {version}', '', '| statement | for | what it asks | where | shown by |', '|---|---|---|---|---|']
        lines += tables[version]
    page = '\n'.join(lines) + '\n'

    if '--check' in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != page:
            sys.exit('docs/spec-coverage.md is not up to date: run docs/spec/coverage.py')
        if idle:
            sys.exit('not-yet.tsv excuses what has a test: ' + ', '.join(idle))
        if homeless:
            sys.exit('server statements whose place in the code nothing names:\n' + '\n'.join(homeless))
        if gaps:
            sys.exit('server statements without a test:\n' + '\n'.join(gaps))
    else:
        PAGE.write_text(page)
        print(f'{len(homeless)} server statements without a place in the code, {len(gaps)} without a test')


main()
