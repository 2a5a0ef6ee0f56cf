/* The kinds of jobs that stay, and where they keep what they are at. */
#include "job/stay.h"

#include <unistd.h>

#include "base/str.h"
#include "exec/exec.h"
#include "flow/secret.h"
#include "job/common.h"
#include "job/kinds.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

void stay_place(struct arena *a, const struct store *s, struct str job, struct stay_place *out)
{
	const char *dir = arena_printf(a, "%s/stay/%.*s", s->leat_dir, STR_ARG(job));

	*out = (struct stay_place){
		.dir = dir,
		.lock = arena_printf(a, "%s/lock", dir),
		.state = arena_printf(a, "%s/state.json", dir),
		.log = arena_printf(a, "%s/log", dir),
		.out = arena_printf(a, "%s/out", dir),
		.stop = arena_printf(a, "%s/stop", dir),
	};
}

bool stay_is_up(const struct stay_place *p)
{
	char who[LOCK_TEXT];

	return lock_is_held(p->lock, who);
}

const struct dom *stay_state(struct arena *a, const struct stay_place *p)
{
	struct err none = ERR_INIT;
	struct str text;
	struct dom *doc;

	if (!file_exists(p->state) || file_read(a, p->state, STAY_MAX_STATE, &text, &none) ||
	    dom_json(a, text, "state.json", &doc, &none) || doc->type != DOM_MAP)
		return NULL;
	return doc;
}

int stay_set_state(struct arena *a, const struct stay_place *p, const struct dom *state, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(STAY_MAX_STATE);

	dom_write_json(&b, state, DOM_COMPACT);
	buf_addc(&b, '\n');
	return file_replace(p->state, arena_str(a, buf_str(&b)), 0644, 0, e);
}

static bool is_over(const struct dom *state)
{
	const struct dom *v = dom_get(state, "state");
	static const char *const over[] = {STAY_STOPPED, STAY_FAILED, STAY_LOST};

	for (size_t i = 0; v && v->type == DOM_STR && i < ARRAY_LEN(over); i++)
		if (str_is(v->s, over[i]))
			return true;
	return false;
}

const struct dom *stay_ended(struct arena *a, const struct dom *state, const char *word, const char *why,
                             const char *commit)
{
	struct dom *now = dom_new(a, DOM_MAP);

	dom_each (v, state) {
		const char *key = arena_cstr(a, v->key);

		if (str_is(v->key, "state"))
			dom_set_cstr(a, now, key, word);
		else if (str_is(v->key, "error"))
			dom_set_str(a, now, key, str_of(why));
		else if (str_is(v->key, "health") || str_is(v->key, "pid") || str_is(v->key, "hint"))
			dom_set_str(a, now, key, STR_NULL);
		else if (commit && str_is(v->key, "commit"))
			dom_set_cstr(a, now, key, commit);
		else
			dom_set(a, now, key, dom_copy(a, v));
	}
	return now;
}

int stay_clean(struct arena *a, const struct stay_place *p, struct err *e)
{
	const struct dom *state = stay_state(a, p), *marker = dom_get(state, "marker");

	if (!state || is_over(state) || stay_is_up(p))
		return 0;
	for (int i = 0; marker && marker->type == DOM_STR && i < 100 && proc_kill_marked(arena_cstr(a, marker->s)); i++)
		usleep(20000);
	return stay_set_state(a, p, stay_ended(a, state, STAY_LOST, "its keeper was killed", NULL), e);
}

bool stay_is_spout(const struct job *j)
{
	return j->kind == &kind_spout;
}

void stay_keys(struct arena *a, const struct job *j, struct stay_keys *out)
{
	const struct dom *port = dom_get(j->own, "port"), *health = dom_get(j->own, "health"),
			 *start = dom_get(j->own, "start_timeout"), *every = dom_get(j->own, "health_every");
	struct str how = health && health->type == DOM_STR ? health->s : j->kind == &kind_board ? STR("/") : STR("tcp");

	*out = (struct stay_keys){.start_ms = 60000, .every_ms = 5000};
	if (every && (!keys_duration(dom_text(a, every), &out->every_ms) || out->every_ms < 1))
		out->every_ms = 5000;
	if (port && port->type == DOM_INT)
		out->port = (int)port->i;
	if (start && !keys_duration(dom_text(a, start), &out->start_ms))
		out->start_ms = 60000;
	if (!out->port || str_is(how, "none"))
		return;
	out->health = how.p[0] == '/' ? HEALTH_HTTP : HEALTH_TCP;
	out->path = arena_cstr(a, how);
}

static int at_key(struct err *e, const struct job *j, const struct dom *v)
{
	return job_at(e, j, v->line, v->col);
}

static int check(const struct job *j, struct err *e)
{
	const struct dom *port = dom_get(j->own, "port"), *health = dom_get(j->own, "health"),
			 *part = dom_get(job_doc(j), "partition");

	if (port && port->type == DOM_INT && port->i > 65535) {
		err_set(e, ERR_BAD_CONFIG, "\"port\" must be a number from 1 to 65535");
		return at_key(e, j, port);
	}
	if (health && health->type == DOM_STR && !str_is(health->s, "tcp") && !str_is(health->s, "none") &&
	    health->s.p[0] != '/') {
		err_set(e, ERR_BAD_CONFIG, "\"health\" is tcp, none, or a path that begins with /");
		return at_key(e, j, health);
	}
	if (j->kind == &kind_board && !port) {
		err_set(e, ERR_BAD_CONFIG, "a board is looked at in a browser, and the job says no port");
		err_hint(e, "add `port: N`");
		return job_at(e, j, 1, 1);
	}
	if (health && health->type == DOM_STR && !str_is(health->s, "none") && !port) {
		err_set(e, ERR_BAD_CONFIG, "\"health\" asks at a port, and the job says none");
		err_hint(e, "add `port: N`");
		return at_key(e, j, health);
	}
	if (j->every != EVERY_NONE && part) {
		err_set(e, ERR_BAD_CONFIG, "a %.*s stays: it has no partitions", STR_ARG(j->kind_name));
		return at_key(e, j, part);
	}
	for (size_t i = 0; i < j->n_inputs; i++)
		if (j->inputs[i].cron.p) {
			err_set(e, ERR_BAD_CONFIG, "a %.*s stays: a cron input gives it nothing to do",
			        STR_ARG(j->kind_name));
			return job_at(e, j, j->inputs[i].line, j->inputs[i].col);
		}
	return exec_limits_check(j, e) || secret_check(j, e) ? -1 : 0;
}

static const char *const code_names[] = {"job.sh", "job.py", "job", NULL};

static const struct key keys[] = {
#define K(section, name, forms, rule, words, sub, def, flags, text)                                                    \
	{section, name, forms, rule, words, sub, def, flags, text},
#include "defs/scriptkeys.def"
#include "defs/taskkeys.def"
#include "defs/staykeys.def"
#undef K
	{0},
};

const struct job_kind kind_service = {
	.name = "service",
	.text = "A process that stays, and listens at a port: `leat up` starts it, `leat down` ends it.",
	.keys = keys,
	.code_names = code_names,
	.imports = script_imports,
	.starts_process = true,
	.stays = true,
	.check = check,
};

const struct job_kind kind_board = {
	.name = "board",
	.text = "A page for people (a dashboard by Dash, Streamlit...): a service that answers HTTP at its port.",
	.keys = keys,
	.code_names = code_names,
	.imports = script_imports,
	.starts_process = true,
	.stays = true,
	.check = check,
};

const struct job_kind kind_spout = {
	.name = "spout",
	.text = "A process that runs for ever and commits what it writes: each tar archive that goes into /pfs/out.",
	.keys = keys,
	.code_names = code_names,
	.imports = script_imports,
	.starts_process = true,
	.stays = true,
	.check = check,
};
