/* One unit by itself, as its job's program or a shell in its folders. */
#include "api/alone.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/data.h"
#include "base/str.h"
#include "flow/alone.h"
#include "flow/data.h"
#include "sys/file.h"
#include "sys/lock.h"

#define NAMED_MAX 5 /* units named where more than one could be meant */
#define ID_MIN 4    /* digits of an id that may stand for all of it */

struct picking {
	struct arena *a;
	const struct job *j;
	struct str what;    /* STR_NULL: the only one there is */
	int64_t n, number;  /* seen so far; that of `found` */
	size_t hits;
	struct data_day *day, *found_day; /* that of the units that come now; of `found` */
	struct datum *found;
	struct str named;   /* those that are meant, for the sentence where there are more */
};

static bool is_meant(const struct picking *p, const struct datum *d)
{
	char hex[SHA_HEX + 1];
	int64_t n;

	if (!p->what.p)
		return true;
	if (str_to_i64(p->what, &n))
		return n == p->n;
	if (str_has_prefix(p->what, STR("/"))) {
		for (size_t i = 0; i < d->n; i++)
			if (str_eq(datum_path(p->a, &d->parts[i]), str_sub(p->what, 1, p->what.n)) ||
			    str_eq(d->parts[i].path, str_sub(p->what, 1, p->what.n)))
				return true;
		return false;
	}
	if (d->ds.p && str_eq(p->what, str_of(datum_label(p->a, d))))
		return true;
	sha_hex(&d->id, hex);
	return p->what.n >= ID_MIN && str_has_prefix(str_of(hex), p->what);
}

static int on_datum(void *ptr, const struct datum *d, struct err *e)
{
	struct picking *p = ptr;

	(void)e;
	p->n++;
	if (!is_meant(p, d))
		return 0;
	if (!p->hits) {
		p->found = datum_copy(p->a, d);
		p->number = p->n;
		p->found_day = p->day;
	}
	if (p->hits++ < NAMED_MAX)
		p->named = arena_strf(p->a, "%.*s%s%lld (%s)", STR_ARG(p->named), p->hits > 1 ? ", " : "",
		                      (long long)p->n, datum_label(p->a, d));
	return 0;
}

static void on_day(void *ptr, struct data_day *day)
{
	struct picking *p = ptr;

	p->day = day;
}

static int pick(struct api *api, struct picking *p, const struct commit *heads, struct err *e)
{
	struct data_set set;

	if (data_at_heads(api->flow, api->arena, p->j, heads, &set, e) ||
	    data_days_each(api->flow, api->arena, &set, on_day, on_datum, p, e))
		return -1;
	if (p->hits == 1)
		return 0;
	if (!p->hits && !p->what.p)
		err_set(e, ERR_NOT_FOUND, "job %.*s has no units: nothing matches its inputs", STR_ARG(p->j->name));
	else if (!p->hits)
		err_set(e, ERR_NOT_FOUND, "job %.*s has no unit %.*s; it has %lld", STR_ARG(p->j->name),
		        STR_ARG(p->what), (long long)p->n);
	else
		err_set(e, ERR_BAD_REQUEST, "which unit of %.*s? %.*s%s", STR_ARG(p->j->name), STR_ARG(p->named),
		        p->hits > NAMED_MAX ? " and more" : "");
	return err_hint(e, "leat units %.*s lists them; --unit takes a number, a path or an id", STR_ARG(p->j->name));
}

struct listing {
	struct api *api;
	struct sink *out;
	size_t n;
};

static int file_row(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct listing *l = ptr;
	struct dom *row;

	if (entry->type == DIR_FOLDER)
		return DIR_GO;
	row = dom_new(l->api->arena, DOM_MAP);
	dom_set_str(l->api->arena, row, "path", arena_strf(l->api->arena, "/%s", entry->path));
	dom_set_int(l->api->arena, row, "size", (int64_t)entry->st.st_size);
	l->n++;
	return sink_row(l->out, row, e) ? -1 : DIR_GO;
}

/* What it gave lies in a folder of the job's, which the next unit that is tried so clears, or gc. */
static int tell(struct api *api, const char *dir, const struct attempt_result *r, struct sink *out, struct err *e)
{
	struct listing l = {api, out, 0};

	if (r->state == ATTEMPT_TIMED_OUT)
		sink_note(out, "it took longer than its limit");
	else if (r->state != ATTEMPT_OK && r->err.code)
		sink_note(out, "%s", err_text(api->arena, &r->err));
	api->exit_status = r->state == ATTEMPT_OK ? 0 : r->status ? r->status : 1;
	if (dir_walk(dir, 0, file_row, &l, e))
		return -1;
	sink_note(out, "nothing is published; %s %s", l.n ? "what it wrote is in" : "it wrote nothing to", dir);
	return 0;
}

static int in_folder(struct api *api, struct alone_ask *ask, struct sink *out, struct err *e)
{
	char *dir = arena_printf(api->arena, "%s/staging/unit/%.*s", api->store->leat_dir, STR_ARG(ask->job->name));
	struct lock lock cleanup(lock_drop) = LOCK_INIT;
	struct attempt_result r;
	struct catalog *c;

	ask->dir = arena_printf(api->arena, "%s/now", dir);
	if (dir_make(dir, 0700, e))
		return -1;
	if (lock_try(&lock, arena_printf(api->arena, "%s/lock", dir), "leat run --unit", 0, e))
		return err_wrap(e, "another unit of %.*s is open", STR_ARG(ask->job->name));
	if (dir_remove_tree(ask->dir, e) || dir_make(ask->dir, 0700, e) ||
	    catalog_new(api->store, api->arena, &c, e) || alone_run(api->flow, c, ask, &r, e))
		return -1;
	return tell(api, arena_printf(api->arena, "%s/out", ask->dir), &r, out, e);
}

int alone_unit(struct api *api, const struct args *args, const struct job *j, const struct dom *params,
               struct sink *out, struct err *e)
{
	struct picking p = {.a = api->arena, .j = j, .what = args_value(args, "unit"), .named = STR("")};
	struct alone_ask ask = {.job = j, .params = params};
	struct commit *heads;
	const char *text;
	int rc;

	if (!j)
		return err_set(e, ERR_BAD_REQUEST, "whose unit? leat run JOB --unit N");
	if (!j->tree) {
		err_set(e, ERR_BAD_REQUEST, "the units of job %.*s come from the calendar", STR_ARG(j->name));
		return err_hint(e, "leat run %.*s DS runs one of them", STR_ARG(j->name));
	}
	if (args_flag(args, "shell") && !j->kind->starts_process)
		return err_set(e, ERR_BAD_REQUEST, "a %s job has no folders that a shell could be opened in",
		               j->kind->name);
	heads = arena_array(api->arena, struct commit, j->n_inputs);
	for (size_t i = 0; i < j->n_inputs; i++)
		if (input_resolve(api->store, api->arena, j, &j->inputs[i], &heads[i], e) < 0)
			return -1;
	if (pick(api, &p, heads, e))
		return -1;
	ask.datum = p.found;
	ask.number = p.number;
	if (j->every != EVERY_NONE)
		ask.day = p.found_day;
	ask.heads = heads;
	if (args_flag(args, "shell"))
		ask.shell = getenv("SHELL") && *getenv("SHELL") ? getenv("SHELL") : "/bin/sh";
	text = j->kind->note ? j->kind->note(j, api->arena, 1) : NULL;
	if (text)
		sink_note(out, "%s", text);
	if (data_session(api->store, e))
		return -1;
	rc = in_folder(api, &ask, out, e);
	store_session_end(api->store);
	return rc;
}
