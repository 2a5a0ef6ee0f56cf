#!/usr/bin/env python3
"""Runs the ```console blocks of a Markdown file, one shell for all of them, and compares what each command prints.

    readme.py FILE      exit 1 and the differences, if what a command prints is not what the page shows

In a block a line `$ COMMAND` begins a command, `> ...` continues it, other lines are what it prints, standard output
and standard error together. What differs from run to run is brought to one form on both sides: ids (8, 12 and 32 hex
digits), times, seconds, and the folder that the blocks are run in, which the page shows as an ellipsis.
"""
import os
import re
import subprocess
import sys


def blocks(path):
    inside, out = False, []
    for number, line in enumerate(open(path, encoding='utf-8'), 1):
        line = line.rstrip('\n')
        if line.startswith('```'):
            inside = line == '```console'
        elif inside and line.startswith('$ '):
            out.append({'line': number, 'command': line[2:], 'shown': []})
        elif inside and line.startswith('> '):
            out[-1]['command'] += '\n' + line[2:]
        elif inside:
            out[-1]['shown'].append(line)
    return out


def normal(lines, here):
    text = '\n'.join(lines).replace(here, '…')
    text = re.sub(r'\b[0-9a-f]{32}\b|\b[0-9a-f]{12}\b|\b[0-9a-f]{8}\b', 'ID', text)
    text = re.sub(r'\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?', 'TIME', text)
    text = re.sub(r'\b\d+\.\d+ s\b', 'N s', text)
    return [line.rstrip() for line in text.split('\n')]


def main(path):
    commands, mark = blocks(path), '@@@ end of command %d: status %%s\n'
    if not commands:
        sys.exit('%s has no ```console block with a command' % path)
    script = 'exec 2>&1\n'
    for i, c in enumerate(commands):
        script += '%s\nprintf "%s" $?\n' % (c['command'], (mark % i).replace('\n', '\\n'))
    here = os.getcwd()
    done = subprocess.run(['bash', '--norc', '-c', script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    rest, bad = done.stdout.decode('utf-8', 'replace'), 0
    for i, c in enumerate(commands):
        m = re.search((mark % i).rstrip('\n').replace('%s', r'(\d+)') + '\n', rest)
        if not m:
            sys.exit('%s:%d: the shell did not come to the end of: %s\n%s' % (path, c['line'], c['command'], rest))
        got, rest = rest[:m.start()].split('\n')[:-1], rest[m.end():]
        want, have = normal(c['shown'], here), normal(got, here)
        if (want or ['']) != (have or ['']) or m.group(1) != '0':
            bad += 1
            print('%s:%d: $ %s' % (path, c['line'], c['command']))
            print('\n'.join('  page: ' + s for s in want))
            print('\n'.join('  real: ' + s for s in have))
            print('  exit status ' + m.group(1))
    print('%d commands, %d as the page says' % (len(commands), len(commands) - bad))
    sys.exit(bad > 0)


main(sys.argv[1])
