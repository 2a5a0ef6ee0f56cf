#!/usr/bin/env python3
"""Each operation on the store, while one of its writes fails: by ENOSPC, by EIO, or torn by a kill (sys/fault.h).

    disk.py LEAT names                       the operations, one a line
    disk.py LEAT NAME TRIES [SEED [AT...]]   tries so many writes of that operation by each error, evenly spread (0: all of
                                             them); AT (eio@17): only that one

Says how many it tried; ends 1 with what was wrong.
"""
import os
import sys

from stores import SCENARIOS, Inputs, Scenario, Wrong, folder, remove, sentence


def tries(s, fault):
    """Says whether the operation failed, and whether it had taken place all the same."""
    when = '%s with %s' % (s.name, fault)
    r = s.fresh().run(s.args(), {'LEAT_FAULT': fault})
    if r.status == -9 and not fault.startswith('torn'):
        raise Wrong('%s: killed' % when)
    if r.status not in (0, -9) and not sentence(r):
        raise Wrong('%s: no sentence: %s' % (when, r))
    try:
        done = s.look(when, r.status)
        s.go_on(when, done or r.status == 0)
    except Wrong as w:
        raise Wrong('%s\n%s said: %s' % (w, fault, r))
    return r.status != 0, r.status > 0 and done


def main():
    leat, name = sys.argv[1:3]
    if name == 'names':
        print('\n'.join(s[0] for s in SCENARIOS))
        return 0
    count, seed = int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 1
    root = folder()
    try:
        row = next(i for i, s in enumerate(SCENARIOS) if s[0] == name)
        s = Scenario(leat, root, Inputs(os.path.join(root, 'in'), seed), SCENARIOS[row])
        step = max(1, s.ops // count) if count else 1
        todo = sys.argv[5:] or ['%s@%d' % (kind, n) for k, kind in enumerate(('enospc', 'eio', 'torn'))
                                for n in range(1 + (seed + 7 * row + k * step // 3) % step, s.ops + 1, step)]
        bad, failed, ambiguous = [], 0, 0
        for fault in todo:
            try:
                f, a = tries(s, fault)
                failed, ambiguous = failed + f, ambiguous + a
            except Wrong as w:
                bad.append(str(w))
        print('%s: %d writes, %d tried, %d made it fail, %d said so and had taken place' % (name, s.ops, len(todo), failed, ambiguous))
        for b in bad[:5]:
            print('wrong: ' + b)
        if bad:
            print('%d were wrong; alone: disk.py LEAT "%s" 0 %d KIND@N' % (len(bad), name, seed))
        return 1 if bad else 0
    finally:
        remove(root)


sys.exit(main())
