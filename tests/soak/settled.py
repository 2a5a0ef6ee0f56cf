#!/usr/bin/env python3
"""What a plan takes from an earlier one is what it would have found by looking.

    settled.py LEAT STEPS [SEED]   random changes of a workspace; after each the plan with .leat/cache/plan, that of now or one
                                   of long ago, and the plan without it must be the same, word for word

Ends 0 when all were; else prints the steps that led there and both plans, and leaves the workspace.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

LEAT, STEPS = os.path.abspath(sys.argv[1]), int(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 30)
rnd = random.Random(SEED)
DAYS = ['2024-01-%02d' % d for d in range(1, 8)]
SOURCES = ['raw/a', 'raw/b', 'raw/whole', 'raw/dim_c']
OLD = 12  # caches of earlier that may come back


class Room:
    def __init__(self):
        self.base = tempfile.mkdtemp(prefix='leat-settled-')
        self.dir = os.path.join(self.base, 'w')
        self.clock = os.path.join(self.base, 'clock')
        self.day = 4
        self.tick()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith('LEAT_') or k in ('LEAT_LIBDUCKDB', 'LEAT_TEST_DATA')}
        self.env.update(LEAT_CLOCK=self.clock, TZ='UTC', HOME=self.base)
        self.steps, self.olds, self.branches, self.jobs, self.counts = [], [], [], {}, {}
        self.backup, self.n_jobs, self.hits, self.refused = None, 0, 0, 0
        self.run('init', self.dir, cwd=self.base)

    def run(self, *args, stdin=None, cwd=None):
        r = subprocess.run([LEAT, *args], cwd=cwd or self.dir, env=self.env, input=stdin, capture_output=True, text=True, timeout=300)
        if r.returncode not in (0, 1, 2) or 'BUG' in r.stderr or 'internal' in r.stderr:
            self.fail('%s: status %d\n%s' % (' '.join(args), r.returncode, r.stderr))
        return r

    def fail(self, what):
        print('seed %d, step %d, in %s' % (SEED, len(self.steps), self.base))
        for s in self.steps[-25:]:
            print('  ' + s)
        print(what)
        sys.exit(1)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w') as f:
            f.write(text)

    def tick(self):
        with open(self.clock + '.new', 'w') as f:
            f.write('2024-01-%02dT06:00:00Z\n' % self.day)
        os.rename(self.clock + '.new', self.clock)

    # --- what there is to compare ---

    def asked(self):
        """The questions that are put with the cache and without it."""
        out = [('plan', '--json'), ('plan',), ('status',)]
        if self.jobs and rnd.random() < 0.3:
            out.append(('plan', rnd.choice(sorted(self.jobs)), '--json'))
        if self.branches and rnd.random() < 0.5:
            out.append(('plan', '--json', '--on', rnd.choice(self.branches)))
        return out if rnd.random() < 0.3 else out[:1] + out[3:]

    def answers(self, asked):
        return [(' '.join(q), r.returncode, r.stdout, r.stderr) for q in asked for r in [self.run(*q)]]

    def compare(self):
        cache = self.path('.leat', 'cache', 'plan')
        asked = self.asked()
        if self.olds and rnd.random() < 0.35:
            shutil.copyfile(rnd.choice(self.olds), cache)
        with_it = self.answers(asked)
        if os.path.exists(cache):
            self.hits += 1
            kept = os.path.join(self.base, 'kept%d' % self.hits)
            os.rename(cache, kept)
            self.olds.append(kept)
            if len(self.olds) > OLD:
                os.unlink(self.olds.pop(rnd.randrange(OLD)))
        without = self.answers(asked)
        for a, b in zip(with_it, without):
            if a != b:
                self.fail('with: %s\n%s\n%s\nwithout: %s\n%s\n%s' % (a[0], a[2], a[3], b[0], b[2], b[3]))
        if self.olds and rnd.random() < 0.6:
            shutil.copyfile(self.olds[-1], cache)
        if without[0][1]:
            self.mend(without[0][3])
        if 'nothing to run' in without[0][3]:
            self.idle(cache)

    def mend(self, text):
        """A job that cannot be read, or a circle of jobs, stops all others: it gets a new beginning soon."""
        self.refused += 1
        for name in [n for n in self.jobs if 'jobs/%s/' % n in text]:
            if rnd.random() < 0.7:
                self.jobs[name] = {'reads': rnd.choice(SOURCES), 'c': 0, 'kind': 'sql', 'every': 'daily', 'extra': {}, 'out': 'tables/' + name}
                self.save(name)

    def idle(self, cache):
        """How many are up to date is told by a run of nothing."""
        told = [json.loads(self.run('run', '--json').stdout.splitlines()[-1])]
        if os.path.exists(cache):
            os.unlink(cache)
        told.append(json.loads(self.run('run', '--json').stdout.splitlines()[-1]))
        if told[0].get('ran') == 0 and told[0].get('up_to_date') != told[1].get('up_to_date'):
            self.fail('%s up to date, and without the cache %s' % (told[0].get('up_to_date'), told[1].get('up_to_date')))

    # --- steps ---

    def step(self, text):
        self.steps.append(text)

    def put(self):
        repo, extra = rnd.choice(SOURCES), self.on()
        if rnd.random() < 0.1:
            extra += ['--ds', rnd.choice(DAYS)]
        elif repo == 'raw/whole':
            pass
        else:
            extra += ['--ds', rnd.choice(DAYS)]
        rows = ''.join('%d,%d\n' % (i, rnd.randrange(2)) for i in range(rnd.randrange(1, 3)))
        self.step('put %s %s %r' % (repo, extra, rows))
        self.run('put', repo, '--name', 'f.csv', '-', *extra, stdin='k,v\n' + rows)

    def rm(self):
        repo = rnd.choice(SOURCES)
        path = '/f.csv' if repo == 'raw/whole' else '/ds=%s' % rnd.choice(DAYS)
        self.step('rm %s:%s' % (repo, path))
        self.run('rm', '-r', '%s:%s' % (repo, path), *self.on())

    def rm_output(self):
        if self.jobs:
            job = rnd.choice(sorted(self.jobs))
            self.step('rm --repo tables/%s' % job)
            self.run('rm', '--repo', 'tables/' + job)

    def on(self):
        return ['--on', rnd.choice(self.branches)] if self.branches and rnd.random() < 0.25 else []

    def new_job(self):
        name = 'j%d' % self.n_jobs
        self.n_jobs += 1
        reads = rnd.choice(SOURCES + ['tables/' + j for j in self.jobs])
        self.jobs[name] = {'reads': reads, 'c': 0, 'kind': rnd.choice(['sql', 'sql', 'sql', 'sh', 'sh']), 'every': rnd.choice(
            ['daily', 'daily', 'daily', 'weekly', 'none']), 'extra': {}, 'out': 'tables/' + name}
        self.save(name)

    def save(self, name):
        j = self.jobs[name]
        lines = ['kind: %s' % {'sql': 'sql', 'sh': 'script'}[j['kind']], 'output: %s' % j['out']]
        if j['every'] != 'none':
            lines.append('partition: {every: %s%s}' % (j['every'], j.get('bounds', '') if j['every'] == 'daily' else ''))
        more = dict(j['extra'])
        inp = more.pop('input', None)
        if j['kind'] == 'sh' or inp:
            lines.append('inputs: {it: %s}' % (('{repo: %s, %s}' % (j['reads'], inp)) if inp else j['reads']))
        lines += ['%s: %s' % kv for kv in sorted(more.items())]
        os.makedirs(self.path('jobs', name), exist_ok=True)
        if j['kind'] == 'sql':
            zone, _, rest = j['reads'].partition('/')
            self.write('jobs/%s/job.sql' % name, 'select k, v + %d as v%s from %s.%s\n' % (
                j['c'], ", '{{ ds }}' as d" if j.get('by_ds') else ', now() as n' if j.get('volatile') else '', zone, rest))
        else:
            self.write('jobs/%s/job.sh' % name, '# %d\nset -e\n%scat "$LEAT_INPUT_it"/*.csv "$LEAT_INPUT_it"/*/*.csv 2>/dev/null | sort > "$LEAT_OUTPUT/f.csv" || true\necho %d >> "$LEAT_OUTPUT/f.csv"\n' % (
                j['c'], 'exit 1\n' if j.get('fails') else '', j['c'] % 2))
        self.write('jobs/%s/job.yaml' % name, '\n'.join(lines) + '\n')
        self.step('job %s %s' % (name, j))

    def edit_job(self):
        if not self.jobs:
            return self.new_job()
        name = rnd.choice(sorted(self.jobs))
        j = self.jobs[name]
        x = j['extra']

        def turn(key, *values):
            if key in x and rnd.random() < 0.5:
                del x[key]
            else:
                x[key] = rnd.choice(values)
        rnd.choice([
            lambda: j.update(c=rnd.randrange(3)), lambda: j.update(c=rnd.randrange(3)),
            lambda: j.update(fails=not j.get('fails') and rnd.random() < 0.3), lambda: j.update(by_ds=not j.get('by_ds')),
            lambda: j.update(volatile=not j.get('volatile')), lambda: turn('description', 'one', 'two'),
            lambda: turn('checks', '[row_count > 0]', '[row_count > 1]', '[row_count > 0, row_count < 3]'),
            lambda: turn('params', '{a: 1}', '{a: 2}', '{a: null}'), lambda: turn('memo', 'off', 'on'),
            lambda: j.update(bounds=rnd.choice(['', ', start: 2024-01-03', ', end: 2024-01-04', ', start: 2024-01-01, end: 2024-01-05'])),
            lambda: turn('timezone', 'Europe/Paris', 'America/New_York'), lambda: turn('pipeline', 'p', 'q'),
            lambda: turn('after', '[%s]' % rnd.choice(sorted(self.jobs))),
            lambda: turn('schedule', '"0 5 * * *"', '{cron: "0 5 * * *", start: 2024-01-02}'),
            lambda: turn('input', 'optional: true', 'window: [-1, 0]', 'window: all', 'pin: master.1', 'pin: stable', 'window: [-1, -1]'),
            lambda: j.update(out=rnd.choice(['tables/' + name, 'tables/other' + name])),
            lambda: j.update(reads=rnd.choice(SOURCES)),
            lambda: j.update(every=rnd.choice(['daily', 'weekly', 'none'])),
        ])()
        self.save(name)

    def drop_job(self):
        if len(self.jobs) > 2:
            name = rnd.choice(sorted(self.jobs))
            self.step('without job %s' % name)
            shutil.rmtree(self.path('jobs', name))
            del self.jobs[name]

    def rename_job(self):
        if self.jobs:
            name, new = rnd.choice(sorted(self.jobs)), 'j%d' % self.n_jobs
            self.n_jobs += 1
            self.step('job %s is now %s' % (name, new))
            os.rename(self.path('jobs', name), self.path('jobs', new))
            self.jobs[new] = self.jobs.pop(name)

    def touch(self):
        if self.jobs:
            name = rnd.choice(sorted(self.jobs))
            self.step('touch ' + name)
            os.utime(self.path('jobs', name, 'job.yaml'))

    def settings(self):
        text = 'name: w\nmaterialise: %s\n' % rnd.choice(['on', 'off', 'auto'])
        text += rnd.choice(['', '', 'timezone: Europe/Paris\n', 'tables: {raw/b: dim}\n', 'tables: {raw/a: {kind: fct, columns: {v: BIGINT}}}\n',
                            'tables: {raw/dim_c: fct}\n'])
        self.step('leat.yaml %r' % text)
        self.write('leat.yaml', text)

    def work(self):
        args = ['run'] + self.on()
        if self.jobs and rnd.random() < 0.25:
            args.append(rnd.choice(sorted(self.jobs)))
            if rnd.random() < 0.5:
                args.append(rnd.choice(DAYS))
            if rnd.random() < 0.2:
                args.append('--again')
            if rnd.random() < 0.2:
                args += ['--param', 'a=%d' % rnd.randrange(3)]
            if rnd.random() < 0.2:
                args.append('-u')
        self.step(' '.join(args))
        out = self.run(*args, '--json').stdout.splitlines()
        if out:
            for key in 'ran', 'known', 'failed':
                self.counts[key] = self.counts.get(key, 0) + (json.loads(out[-1]).get(key) or 0)

    def accept(self):
        if self.jobs:
            name = rnd.choice(sorted(self.jobs))
            self.step('accept ' + name)
            self.run('accept', name, '--because', 'it is fine', *self.on())

    def history(self):
        repo = rnd.choice(SOURCES + ['tables/' + j for j in self.jobs])
        args = rnd.choice([('squash', repo + '@.2'), ('drop', repo + '@.1'), ('branch', repo + '@stable', '--head', repo + '@master'),
                           ('branch', repo + '@stable', '--head', repo + '@.1'), ('branch', repo, '--head', repo + '@^'),
                           ('branch', repo + '@master', '--head', repo + '@master^')])
        self.step(' '.join(args))
        self.run(*args)

    def branch(self):
        if len(self.branches) < 2:
            self.branches.append('b%d' % len(self.steps))
            self.step('branch ' + self.branches[-1])
            self.run('branch', self.branches[-1])
        else:
            name = self.branches.pop(rnd.randrange(len(self.branches)))
            args = rnd.choice([['merge', name], ['merge', name], ['branch', '--delete', name]])
            self.step(' '.join(args))
            if self.run(*args).returncode:
                self.run('branch', '--delete', name)

    def time(self):
        self.day = min(self.day + 1, 28) if rnd.random() < 0.8 else max(self.day - 1, 2)
        self.tick()
        self.step('it is day %d' % self.day)

    def drift(self):
        files = [os.path.join(d, f) for d, _, fs in os.walk(self.path('datastore')) for f in fs]
        if files:
            f = rnd.choice(sorted(files))
            self.step('hurt ' + f)
            os.unlink(f)
            if rnd.random() < 0.5:
                with open(f, 'w') as out:
                    out.write('k,v\n9,9\n')

    def lose(self):
        files = [os.path.join(d, f) for d, _, fs in os.walk(self.path('.leat', 'blobs')) for f in fs]
        if files and rnd.random() < 0.3:
            f = rnd.choice(sorted(files))
            self.step('lose ' + f)
            os.unlink(f)

    def other(self):
        args = rnd.choice([('gc',), ('gc', '--memo'), ('commit',), ('commit', '--restore'), ('fsck',), ('rerun',), ('fsck', '--repair')])
        self.step(' '.join(args))
        self.run(*args)

    def saved(self):
        """The state of some day, put back into the same files: leat.db too is the same one, with other rows."""
        if not self.backup:
            self.backup = os.path.join(self.base, 'backup')
            shutil.copytree(self.path('.leat'), self.backup, symlinks=True, ignore=shutil.ignore_patterns('cache', '*.sock'))
            self.step('backup')
            return
        self.step('the backup is put back')
        for folder, _, files in os.walk(self.path('.leat')):
            for f in files:
                here = os.path.join(folder, f)
                at = os.path.relpath(here, self.path('.leat'))
                if not at.startswith('cache') and not os.path.exists(os.path.join(self.backup, at)):
                    os.unlink(here)
        for folder, _, files in os.walk(self.backup):
            for f in files:
                src = os.path.join(folder, f)
                to = os.path.join(self.path('.leat'), os.path.relpath(src, self.backup))
                os.makedirs(os.path.dirname(to), exist_ok=True)
                if os.path.exists(to) and os.path.basename(to).startswith('leat.db'):
                    with open(src, 'rb') as a, open(to, 'r+b') as b:
                        b.truncate(0)
                        b.write(a.read())
                elif not os.path.exists(to):
                    shutil.copy2(src, to)
                else:
                    with open(src, 'rb') as a, open(to, 'wb') as b:
                        b.write(a.read())
        self.branches = [b['name'] for b in map(json.loads, self.run('branch', '--json').stdout.splitlines()) if 'name' in b]
        shutil.rmtree(self.backup)
        self.backup = None


def main():
    room = Room()
    kinds = [(room.put, 14), (room.work, 16), (room.edit_job, 12), (room.new_job, 3), (room.rm, 4), (room.rm_output, 1), (room.drop_job, 1),
             (room.rename_job, 1), (room.touch, 2), (room.settings, 2), (room.accept, 4), (room.history, 4), (room.branch, 3), (room.time, 4),
             (room.drift, 2), (room.lose, 1), (room.other, 3), (room.saved, 2)]
    for _ in range(4):
        room.new_job()
    for repo in SOURCES * 2:
        room.put()
    for _ in range(STEPS):
        for _ in range(rnd.choice([1, 1, 1, 2, 3])):
            f = rnd.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
            if f == room.new_job and len(room.jobs) > 9:
                continue
            f()
            room.counts[f.__name__] = room.counts.get(f.__name__, 0) + 1
        room.compare()
    shutil.rmtree(room.base)
    print('seed %d: %d comparisons, %d of them with something remembered, %d refusals; %s' % (
        SEED, STEPS, room.hits, room.refused, ', '.join('%d %s' % (n, k) for k, n in sorted(room.counts.items()))))


main()
