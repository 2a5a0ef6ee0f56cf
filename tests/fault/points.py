#!/usr/bin/env python3
"""Operations on the store, killed at each named point (src/defs/faults.def) that they pass.

    points.py LEAT TIMES [SEED [POINT...]]    TIMES deaths at each point, over the operations that pass it, in stores that differ

Points of a run are t6000's, those of the daemon t7371's; tables-made, which a store passes once, is t0220's. Says where it was killed; ends 1 with what was wrong.
"""
import os
import random
import re
import sys

from stores import SCENARIOS, Inputs, Scenario, Wrong, folder, remove

DEFS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src', 'defs', 'faults.def')
ROUNDS = 60  # stores tried before it gives up


def points():
    with open(DEFS) as f:
        rows = re.findall(r'^F\("([a-z-]+)", "([^"]+)"\)', f.read(), re.M)
    elsewhere = ('flow/', 'daemon/')
    return [n for n, where in rows if not where.startswith(elsewhere) and not n.startswith('egress-') and n != 'tables-made']


def dies(s, point, nth):
    when = '%s, killed at %s:%d' % (s.name, point, nth)
    r = s.fresh().run(s.args(), {'LEAT_CRASH_AT': '%s:%d' % (point, nth)})
    if r.status == 0:
        return False
    if r.status != -9:
        raise Wrong('%s: %s' % (when, r))
    s.go_on(when, s.look(when, r.status))
    return True


class Deaths:
    def __init__(self, leat, root, times, seed, wanted):
        self.leat, self.root, self.times, self.seed = leat, root, times, seed
        self.by = {p: {} for p in wanted}    # point -> operation -> deaths
        self.passes = {}                     # operation -> points that it is known to pass
        self.r = random.Random(seed)

    def done(self, point):
        return sum(self.by[point].values()) >= self.times

    def in_one(self, row, inputs):
        """Each point once, and once more at a later time that it is passed."""
        todo = [p for p in self.passes.get(row[0], self.by) if not self.done(p)]
        if not todo:
            return
        s = Scenario(self.leat, self.root, inputs, row)
        first = row[0] not in self.passes
        for p in todo:
            for nth in (1, self.r.randrange(2, 9)):
                if self.done(p) or not dies(s, p, nth):
                    break
                self.by[p][row[0]] = self.by[p].get(row[0], 0) + 1
        if first:
            self.passes[row[0]] = [p for p in self.by if row[0] in self.by[p] or self.done(p)]

    def go(self):
        for n in range(ROUNDS):
            if all(self.done(p) for p in self.by):
                return
            remove(os.path.join(self.root, 'in'))
            inputs = Inputs(os.path.join(self.root, 'in'), self.seed + n)
            rows = list(SCENARIOS)
            self.r.shuffle(rows)
            for row in rows:
                self.in_one(row, inputs)
        raise Wrong('not reached %d times: %s' % (self.times, [p for p in self.by if not self.done(p)]))


def main():
    root = folder()
    d = Deaths(sys.argv[1], root, int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1, sys.argv[4:] or points())
    try:
        d.go()
    except Wrong as w:
        print('wrong (seed %d): %.3000s' % (d.seed, w))
        return 1
    finally:
        for p, by in d.by.items():
            print('%s: %d deaths: %s' % (p, sum(by.values()), ', '.join('%d in %s' % (n, k) for k, n in by.items())))
        remove(root)
    return 0


sys.exit(main())
