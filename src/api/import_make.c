/* What readers of other systems' files make jobs with (api/import.h). */
#include "api/import.h"

#include <ctype.h>

#include "base/cron.h"
#include "base/str.h"

void import_note(struct import *im, enum import_kind kind, const char *file, int line, const struct import_job *j,
                 const char *fmt, ...)
{
	struct import_note n = {kind, file, line, STR_NULL, j ? j->name : STR_NULL};
	va_list ap;

	if (im->n_notes++ >= IMPORT_MAX_NOTES)
		return;
	va_start(ap, fmt);
	n.text = str_of(arena_vprintf(im->a, fmt, ap));
	va_end(ap);
	vec_push(im->a, &im->notes, n);
}

struct str import_name(struct arena *a, struct str text)
{
	char *p = arena_cstr(a, str_sub(text, 0, 100));
	size_t n = strlen(p);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && !strchr("_.-", p[i]))
			p[i] = '-';
	while (n && (p[n - 1] == '-' || p[n - 1] == '.'))
		n--;
	while (n && !isalnum((unsigned char)*p)) {
		p++;
		n--;
	}
	return n ? (struct str){p, n} : STR("job");
}

struct str import_ident(struct arena *a, struct str text)
{
	char *p = arena_printf(a, "%s%.*s", text.n && isdigit((unsigned char)*text.p) ? "_" : "", (int)MIN(text.n, 100),
	                       text.p);

	for (char *c = p; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
	return *p ? str_of(p) : STR("_");
}

struct str import_duration(struct arena *a, int64_t seconds)
{
	static const struct {
		int64_t n;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (seconds >= units[i].n && seconds % units[i].n == 0)
			return arena_strf(a, "%lld%c", (long long)(seconds / units[i].n), units[i].unit);
	return STR("0s");
}

struct str import_plain(struct arena *a, struct str s)
{
	struct buf b cleanup(buf_free) = BUF_INIT(8 * IMPORT_MAX_FILE);

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '{' && i + 1 < s.n && strchr("{%#", s.p[i + 1]) && s.p[i + 1])
			buf_adds(&b, "{{ '{' }}");
		else
			buf_addc(&b, s.p[i]);
	return arena_str(a, buf_str(&b));
}

static struct str folded(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (char *c = p; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return str_of(p);
}

static struct import_job *add(struct import *im, struct str name, const char *file, int line)
{
	struct import_job *j = arena_new_of(im->a, struct import_job);

	j->name = name;
	j->file = file;
	j->line = line;
	j->doc = dom_new(im->a, DOM_MAP);
	map_set(&im->by_name, folded(im->a, name), j);
	vec_push(im->a, &im->all, j);
	return j;
}

int import_new(struct import *im, struct str name, const char *file, int line, struct import_job **out, struct err *e)
{
	struct str base = import_name(im->a, name), is = base;

	if (im->all.n >= IMPORT_MAX_JOBS)
		return err_set(e, ERR_LIMIT, "%s has more than %d jobs", file, IMPORT_MAX_JOBS);
	for (int i = 2; map_has(&im->by_name, folded(im->a, is)); i++)
		is = arena_strf(im->a, "%.*s-%d", STR_ARG(base), i);
	*out = add(im, is, file, line);
	return 0;
}

struct import_job *import_find(struct import *im, struct str name)
{
	return map_get(&im->by_name, folded(im->a, name));
}

struct import_job *import_job_of(struct import *im, struct str name)
{
	struct import_job *j = import_find(im, name);
	const struct job *there = im->jobs ? jobs_get(im->jobs, name) : NULL;

	if (j || !there)
		return j;
	j = add(im, there->name, "", 0);
	j->there = there;
	return j;
}

void import_set(struct import *im, struct import_job *j, const char *key, struct dom *v)
{
	if (!dom_get(j->doc, key))
		dom_set(im->a, j->doc, key, v);
}

void import_put(struct import *im, struct import_job *j, const char *key, struct dom *v)
{
	struct dom *is = dom_get(j->doc, key), *next, old;

	if (!is) {
		dom_set(im->a, j->doc, key, v);
		return;
	}
	old = *is;
	next = is->next;
	*is = *v;
	is->key = old.key;
	is->next = next;
}

void import_set_text(struct import *im, struct import_job *j, const char *key, struct str s)
{
	import_set(im, j, key, dom_new_str(im->a, s));
}

void import_command(struct import *im, struct import_job *j, const char *shell, struct str command)
{
	struct dom *list = dom_new(im->a, DOM_LIST);

	dom_add(list, dom_new_str(im->a, str_of(shell)));
	dom_add(list, dom_new_str(im->a, STR("-c")));
	dom_add(list, dom_new_str(im->a, command));
	import_set(im, j, "cmd", list);
}

void import_add_file(struct import *im, struct import_job *j, const char *name, struct str text, bool run)
{
	struct import_file f = {str_of(arena_dup(im->a, name)), arena_str(im->a, text), run};

	for (size_t i = 0; i < j->files.n; i++)
		if (str_eq(j->files.p[i].name, f.name))
			return;
	vec_push(im->a, &j->files, f);
}

void import_to_write(struct import *im, struct import_job *j, struct str what)
{
	struct buf b cleanup(buf_free) = BUF_INIT(IMPORT_MAX_FILE);
	struct str rest = what, line;

	buf_adds(&b, "#!/bin/sh\n# To be written: what this did where it came from was not understood.\n");
	while (str_next_line(&rest, &line))
		buf_addf(&b, "#   %.*s\n", STR_ARG(line));
	buf_addf(&b, "echo \"write jobs/%.*s/job.sh: the import did not understand what it did\" >&2\nexit 1\n",
	         STR_ARG(j->name));
	import_add_file(im, j, "job.sh", buf_str(&b), true);
}

void import_after(struct import *im, struct import_job *j, struct str name)
{
	for (size_t i = 0; i < j->after.n; i++)
		if (str_eq(j->after.p[i], name))
			return;
	if (!str_eq(j->name, name))
		vec_push(im->a, &j->after, name);
}

struct dom *import_schedule(struct arena *a, struct str cron, struct str zone, struct str start, const char *catchup)
{
	struct dom *s = dom_new(a, DOM_MAP);

	dom_set_str(a, s, "cron", cron);
	if (zone.n)
		dom_set_str(a, s, "timezone", zone);
	if (start.n)
		dom_set_str(a, s, "start", start);
	if (catchup)
		dom_set_cstr(a, s, "catchup", catchup);
	return s;
}

bool import_takes(const char *key, unsigned form)
{
	const struct keys *tables[] = {job_keys()};
	const struct key *k = keys_find(tables, 1, "", str_of(key));

	return k && (k->forms & form);
}

enum every import_every(struct str text)
{
	struct cron c;
	struct err ignored = ERR_INIT;
	int64_t first, second;

	if (cron_parse(text, &c, &ignored) || c.kind == CRON_NEVER)
		return EVERY_NONE;
	if (c.kind == CRON_EVERY)
		return c.every >= 86400 ? EVERY_DAY : EVERY_HOUR;
	/* As long as the shortest of its intervals, from a Monday that is the first of a month on. */
	if (!cron_next(&c, 1704067200 - 1, &first) || !cron_next(&c, first, &second))
		return EVERY_DAY;
	if (second - first >= (int64_t)28 * 86400)
		return EVERY_MONTH;
	return second - first >= 86400 || c.hour != 0xffffff ? EVERY_DAY : EVERY_HOUR;
}
