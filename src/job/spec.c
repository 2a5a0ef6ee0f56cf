#include "job/spec.h"

#include <ctype.h>
#include <strings.h>

#include "base/keys.h"
#include "base/name.h"
#include "base/str.h"
#include "sys/clock.h"
#include "flow/plug.h"

/* What becomes of a field. */
enum fate {
	AS_KEY,  /* a key of job.yaml: `key`, where this program has it; else it is refused */
	LIMIT,   /* the same; else it is listed as ignored */
	KNOB,    /* of Kubernetes: listed as ignored */
	SILENT,  /* says nothing about the work */
	REFUSED, /* would change what is done, and cannot be */
	TAKEN,   /* by a function of its own */
};

struct field {
	const char *name;
	enum fate fate;
	const char *key; /* of AS_KEY: what it is called in job.yaml; of REFUSED: what to do */
};

#define ALL_FILES "each unit sees all files that its glob gives; units that are known do not run again"
static const struct field top_fields[] = {
	{"pipeline", TAKEN, NULL},
	{"transform", TAKEN, NULL},
	{"input", TAKEN, NULL},
	{"inputs", TAKEN, NULL},
	{"datumTries", TAKEN, NULL},
	{"reprocessSpec", TAKEN, NULL},
	{"outputBranch", TAKEN, NULL},
	{"salt", TAKEN, NULL},
	{"service", TAKEN, NULL},
	{"spout", TAKEN, NULL},
	{"description", AS_KEY, "description"},
	{"datumTimeout", AS_KEY, "timeout"},
	{"jobTimeout", LIMIT, "jobTimeout"},
	{"egress", TAKEN, NULL},
	{"metadata", SILENT, NULL},
	{"update", SILENT, NULL},
	{"reprocess", SILENT, NULL},
	{"dryRun", SILENT, NULL},
	{"details", SILENT, NULL},
	{"specCommit", SILENT, NULL},
	{"enableStats", SILENT, NULL},
	{"parallelismSpec", KNOB, NULL},
	{"parallelism", KNOB, NULL},
	{"hashtreeSpec", KNOB, NULL},
	{"resourceRequests", KNOB, NULL},
	{"resourceLimits", KNOB, NULL},
	{"sidecarResourceLimits", KNOB, NULL},
	{"sidecarResourceRequests", KNOB, NULL},
	{"schedulingSpec", KNOB, NULL},
	{"tolerations", KNOB, NULL},
	{"podSpec", KNOB, NULL},
	{"podPatch", KNOB, NULL},
	{"cacheSize", KNOB, NULL},
	{"chunkSpec", KNOB, NULL},
	{"datumSetSpec", KNOB, NULL},
	{"maxQueueSize", KNOB, NULL},
	{"maximumExpectedUptime", KNOB, NULL},
	{"autoscaling", KNOB, NULL},
	{"standby", KNOB, NULL},
	{"scaleDownThreshold", KNOB, NULL},
	{"gpu", KNOB, NULL},
	{"determined", KNOB, NULL},
	{"gcPolicy", KNOB, NULL},
	{"incremental", REFUSED, ALL_FILES},
	{"tfJob", REFUSED, "write the training as a command"},
	{"s3Out", REFUSED, "write to /pfs/out instead"},
};
static const struct field transform_fields[] = {
	{"image", TAKEN, NULL},
	{"cmd", TAKEN, NULL},
	{"stdin", AS_KEY, "stdin"},
	{"errCmd", AS_KEY, "errCmd"},
	{"errStdin", AS_KEY, "errStdin"},
	{"env", AS_KEY, "env"},
	{"secrets", TAKEN, NULL},
	{"workingDir", AS_KEY, "workingDir"},
	{"acceptReturnCode", AS_KEY, "acceptReturnCode"},
	{"datumBatching", AS_KEY, "datumBatching"},
	{"user", KNOB, NULL},
	{"debug", SILENT, NULL},
	{"imagePullSecrets", KNOB, NULL},
	{"memoryVolume", KNOB, NULL},
	{"dockerfile", KNOB, NULL},
	{"build", KNOB, NULL},
};
static const struct field pfs_fields[] = {
	{"repo", TAKEN, NULL},
	{"commit", TAKEN, NULL},
	{"branch", TAKEN, NULL},
	{"name", AS_KEY, "name"},
	{"glob", AS_KEY, "glob"},
	{"joinOn", AS_KEY, "joinOn"},
	{"outerJoin", AS_KEY, "outerJoin"},
	{"groupBy", AS_KEY, "groupBy"},
	{"lazy", AS_KEY, "lazy"},
	{"emptyFiles", AS_KEY, "emptyFiles"},
	{"reference", AS_KEY, "reference"},
	{"pin", AS_KEY, "pin"},
	{"trigger", TAKEN, NULL},
	{"project", SILENT, NULL},
	{"repoType", SILENT, NULL},
	{"method", SILENT, NULL},
	{"from", REFUSED, ALL_FILES},
	{"fromCommit", REFUSED, ALL_FILES},
	{"s3", REFUSED, "read the files below /pfs instead"},
	{"propagationSpec", REFUSED, "a job runs on every change of what it reads, or has the input pinned"},
};
static const struct field cron_fields[] = {
	{"name", AS_KEY, "name"},           {"spec", AS_KEY, "spec"},  {"start", AS_KEY, "start"},
	{"overwrite", AS_KEY, "overwrite"}, {"project", SILENT, NULL}, {"repo", SILENT, NULL},
	{"commit", SILENT, NULL},
};
static const struct field node_fields[] = {
	{"pfs", TAKEN, NULL},  {"atom", TAKEN, NULL},  {"cross", TAKEN, NULL}, {"union", TAKEN, NULL},
	{"join", TAKEN, NULL}, {"group", TAKEN, NULL}, {"cron", TAKEN, NULL},
};

static const struct field egress_fields[] = {
	{"URL", AS_KEY, "URL"}, {"connection", AS_KEY, "connection"},
	{"objectStorage", TAKEN, NULL},
	{"sqlDatabase", TAKEN, NULL},
};
static const struct field object_fields[] = {
	{"url", AS_KEY, "url"},
};
static const struct field database_fields[] = {
	{"url", AS_KEY, "url"},
	{"fileFormat", AS_KEY, "fileFormat"},
	{"secret", AS_KEY, "secret"},
};

static const struct field secret_fields[] = {
	{"name", AS_KEY, "name"},
	{"key", AS_KEY, "key"},
	{"mountPath", AS_KEY, "mountPath"},
	{"envVar", AS_KEY, "envVar"},
};

struct reading {
	struct arena *a;
	const char *file;
	const struct job_kind *kind; /* of what comes out: script */
	struct spec *s;
	struct err *e;
};

/* ---- fields ---- */

/* datum_tries, datumTries, datum-tries, DatumTries */
static bool same_word(struct str a, const char *b)
{
	size_t i = 0;

	for (; i < a.n && *b; i++) {
		if (a.p[i] == '_')
			continue;
		if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)*b))
			return false;
		b++;
	}
	return i == a.n && !*b;
}

static const struct dom *get(const struct dom *map, const char *name)
{
	if (map && map->type == DOM_MAP)
		dom_each (v, map)
			if (same_word(v->key, name) && v->type != DOM_NULL)
				return v;
	return NULL;
}

static int at(struct reading *r, const struct dom *v)
{
	return err_at(r->e, r->file, v->line, v->col);
}

static int want(struct reading *r, const struct dom *v, enum dom_type t, const char *name)
{
	if (v->type == t)
		return 0;
	err_set(r->e, ERR_BAD_CONFIG, "\"%s\" must be %s, not %s", name, dom_type_word(t), dom_type_word(v->type));
	return at(r, v);
}

static const struct key *job_key(const struct reading *r, const char *section, const char *name)
{
	struct keys own = {.what = r->kind->name, .rows = r->kind->keys};
	const struct keys *all[] = {job_keys(), &own};

	while (own.rows && own.rows[own.n].name)
		own.n++;
	return keys_find(all, ARRAY_LEN(all), section, str_of(name));
}

/* A copy that keeps its place, under another key. */
static void put(struct reading *r, struct dom *map, const char *key, const struct dom *v)
{
	struct dom *c = dom_copy(r->a, v);

	c->line = v->line;
	c->col = v->col;
	c->key_line = v->key_line;
	c->key_col = v->key_col;
	dom_set(r->a, map, key, c);
}

static void put_text(struct reading *r, struct dom *map, const char *key, struct str text, const struct dom *place)
{
	struct dom *v = dom_new_str(r->a, text);

	v->line = place->line;
	v->col = place->col;
	v->key_line = place->key_line;
	v->key_col = place->key_col;
	dom_set(r->a, map, key, v);
}

static void note(struct reading *r, const char *fmt, ...) printf_like(2, 3);
static void note(struct reading *r, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(r->a, fmt, ap);
	va_end(ap);
	vec_push(r->a, &r->s->notes, str_of(s));
}

static bool says_nothing(const struct dom *v)
{
	return v->type == DOM_NULL || (v->type == DOM_BOOL && !v->b) || (v->type == DOM_STR && !v->s.n) ||
	       ((v->type == DOM_MAP || v->type == DOM_LIST) && !v->n);
}

static int unknown(struct reading *r, const struct dom *v, const struct field *fields, size_t n)
{
	struct str *names = arena_array(r->a, struct str, n);

	for (size_t i = 0; i < n; i++)
		names[i] = str_of(fields[i].name);
	err_set(r->e, ERR_BAD_CONFIG, "unknown field \"%.*s\"", STR_ARG(v->key));
	keys_hint_nearest(r->e, v->key, names, n);
	return err_at(r->e, r->file, v->key_line, v->key_col);
}

/* All fields of a map, those with a key of their own into `out`, whose keys are those of `section`. */
static int take_fields(struct reading *r, const struct dom *map, const struct field *fields, size_t n,
                       const char *section, struct dom *out)
{
	dom_each (v, map) {
		const struct field *f = NULL;

		for (size_t i = 0; i < n && !f; i++)
			if (same_word(v->key, fields[i].name))
				f = &fields[i];
		if (!f)
			return unknown(r, v, fields, n);
		if (v->type != DOM_NULL && get(map, f->name) != v) {
			err_set(r->e, ERR_BAD_CONFIG, "\"%s\" stands twice, here as \"%.*s\"", f->name,
				STR_ARG(v->key));
			return err_at(r->e, r->file, v->key_line, v->key_col);
		}
		if (f->fate == TAKEN || f->fate == SILENT || says_nothing(v))
			continue;
		if ((f->fate == AS_KEY || f->fate == LIMIT) && job_key(r, section, f->key)) {
			put(r, out, f->key, v);
		} else if (f->fate == KNOB || f->fate == LIMIT) {
			vec_push(r->a, &r->s->ignored, str_of(f->name));
		} else {
			err_set(r->e, ERR_BAD_CONFIG, "%s is not something that a job of Leat can have", f->name);
			if (f->fate == REFUSED)
				err_hint(r->e, "%s", f->key);
			return err_at(r->e, r->file, v->key_line, v->key_col);
		}
	}
	return 0;
}

/* ---- inputs ---- */

/* trips/master/30, master/30: of 1.x, counted from 0. */
static struct str commit_text(struct reading *r, struct str repo, struct str id)
{
	struct str head = STR_NULL, last, before, branch;
	int64_t n;

	if (!str_rcut(id, '/', &head, &last))
		return id;
	branch = head;
	if (str_rcut(head, '/', &before, &branch) && !str_eq(before, repo))
		return id;
	if (!str_to_i64(last, &n) || n < 0)
		return branch.n && str_eq(head, repo) ? last : id;
	id = arena_strf(r->a, "%.*s.%lld", STR_ARG(branch), (long long)n + 1);
	note(r, "%.*s/%.*s/%lld counts from 0, so it is %.*s@%.*s", STR_ARG(repo), STR_ARG(branch), (long long)n,
	     STR_ARG(repo), STR_ARG(id));
	return id;
}

static int repo_name(struct reading *r, const struct dom *v, struct str *out)
{
	const struct dom *name = v->type == DOM_MAP ? get(v, "name") : v;

	if (!name || name->type != DOM_STR) {
		err_set(r->e, ERR_BAD_CONFIG, "the repo has no name");
		return at(r, v);
	}
	*out = name->s;
	return 0;
}

/* commit: "master/30", or {repo: {name}, id} */
static int commit_of(struct reading *r, const struct dom *commit, struct str *repo, struct dom *out)
{
	const struct dom *id = commit->type == DOM_MAP ? get(commit, "id") : commit;
	const struct dom *in = commit->type == DOM_MAP ? get(commit, "repo") : NULL;
	struct str pin;

	if (in && repo_name(r, in, repo))
		return -1;
	if (!repo->p || !id || (id->type != DOM_STR && id->type != DOM_INT)) {
		err_set(r->e, ERR_BAD_CONFIG, "the commit has no %s", repo->p ? "id" : "repo");
		return at(r, commit);
	}
	pin = commit_text(r, *repo, dom_text(r->a, id));
	if (!str_is(pin, "master"))
		put_text(r, out, "pin", pin, id);
	return 0;
}

static struct str text_at(struct reading *r, const struct dom *map, const char *key)
{
	const struct dom *v = get(map, key);

	return v ? dom_text(r->a, v) : STR_NULL;
}

/* "trigger": the job reads the branch JOB-trigger-N, which follows the one that is named. */
static int trigger(struct reading *r, const struct dom *v, struct str repo, const struct dom *branch, struct dom *out)
{
	const struct dom *t = get(v, "trigger"), *all = t ? get(t, "all") : NULL;
	struct str size, commits;
	struct spec_trigger s = {.repo = repo};
	char *name;

	if (!t)
		return 0;
	if (want(r, t, DOM_MAP, "trigger"))
		return -1;
	s.t = (struct trigger){.branch = text_at(r, t, "branch"), .rate = text_at(r, t, "rateLimitSpec"),
	                       .cron = text_at(r, t, "cronSpec"), .all = all && all->type == DOM_BOOL && all->b,
	                       .since = clock_now_ms()};
	if (!s.t.branch.n)
		s.t.branch = branch ? dom_text(r->a, branch) : STR(BRANCH_DEFAULT);
	size = text_at(r, t, "size");
	commits = text_at(r, t, "commits");
	if ((size.n && !keys_size(size, &s.t.size)) || (commits.n && !str_to_i64(commits, &s.t.commits)) ||
	    s.t.commits < 0 || s.t.commits > TRIGGER_MAX_COMMITS) {
		err_set(r->e, ERR_BAD_CONFIG, "the trigger has a size or a number of commits that cannot be");
		return at(r, t);
	}
	if (trigger_check(&s.t, r->e)) {
		r->e->code = ERR_BAD_CONFIG;
		return at(r, t);
	}
	name = arena_printf(r->a, "%.*s-trigger-%zu", STR_ARG(r->s->name), r->s->triggers.n + 1);
	for (char *p = name; *p; p++)
		if (*p == '.')
			*p = '_';
	s.branch = str_of(name);
	vec_push(r->a, &r->s->triggers, s);
	put_text(r, out, "branch", s.branch, t);
	return 0;
}

static int pfs(struct reading *r, const struct dom *v, bool whole, struct dom *out)
{
	const struct dom *repo = get(v, "repo"), *commit = get(v, "commit"), *branch = get(v, "branch");
	struct dom *pinned = dom_new(r->a, DOM_MAP);
	struct str name = STR_NULL;

	if (want(r, v, DOM_MAP, "pfs") || (repo && repo_name(r, repo, &name)) ||
	    (commit && commit_of(r, commit, &name, pinned)))
		return -1;
	if (!name.p) {
		err_set(r->e, ERR_BAD_CONFIG, "the input names no repo");
		return at(r, v);
	}
	put_text(r, out, "repo", name, repo ? repo : commit);
	if (pinned->n)
		put(r, out, "pin", pinned->first);
	if (take_fields(r, v, pfs_fields, ARRAY_LEN(pfs_fields), "pfs", out))
		return -1;
	if (get(v, "trigger")) {
		if (trigger(r, v, name, branch, out))
			return -1;
	} else if (branch && !dom_get(out, "pin") && !(branch->type == DOM_STR && str_is(branch->s, "master"))) {
		put(r, out, "branch", branch);
	}
	if (whole && !dom_get(out, "glob"))
		put_text(r, out, "glob", STR("/"), v);
	out->line = v->line;
	out->col = v->col;
	return 0;
}

static struct dom *map_at(struct reading *r, const struct dom *place, enum dom_type t)
{
	struct dom *m = dom_new(r->a, t);

	m->line = place->line;
	m->col = place->col;
	return m;
}

static int node(struct reading *r, const struct dom *v, struct dom *out)
{
	if (want(r, v, DOM_MAP, "input") || take_fields(r, v, node_fields, ARRAY_LEN(node_fields), "tree", out))
		return -1;
	dom_each (k, v) {
		bool leaf = same_word(k->key, "pfs") || same_word(k->key, "atom"), cron = same_word(k->key, "cron");
		struct dom *one = map_at(r, k, leaf || cron ? DOM_MAP : DOM_LIST);

		if (k->type == DOM_NULL)
			continue;
		if (leaf   ? pfs(r, k, false, one)
		    : cron ? take_fields(r, k, cron_fields, ARRAY_LEN(cron_fields), "tick", one)
		           : want(r, k, DOM_LIST, arena_cstr(r->a, k->key)))
			return -1;
		if (!leaf && !cron)
			dom_each (item, k) {
				struct dom *kid = map_at(r, item, DOM_MAP);

				if (node(r, item, kid))
					return -1;
				dom_add(one, kid);
			}
		dom_set(r->a, out, leaf ? "pfs" : arena_cstr(r->a, k->key), one);
		one->key_line = k->key_line;
		one->key_col = k->key_col;
	}
	return 0;
}

/* inputs: of 1.x, which are crossed. */
static int old_inputs(struct reading *r, const struct dom *v, struct dom *out)
{
	struct dom *list = map_at(r, v, DOM_LIST), *last = NULL;

	if (want(r, v, DOM_LIST, "inputs"))
		return -1;
	dom_each (item, v) {
		struct dom *leaf = map_at(r, item, DOM_MAP);

		last = map_at(r, item, DOM_MAP);
		if (pfs(r, item, true, leaf))
			return -1;
		dom_set(r->a, last, "pfs", leaf);
		dom_add(list, last);
	}
	if (list->n > 1)
		dom_set(r->a, out, "cross", list);
	else if (last)
		dom_set(r->a, out, "pfs", last->first);
	return 0;
}

static int inputs(struct reading *r, const struct dom *doc)
{
	const struct dom *tree = get(doc, "input"), *old = get(doc, "inputs");
	struct dom *out;

	if (!tree && !old)
		return 0;
	out = map_at(r, tree ? tree : old, DOM_MAP);
	if (tree ? node(r, tree, out) : old_inputs(r, old, out))
		return -1;
	if (out->n)
		dom_set(r->a, r->s->job, "input", out);
	return 0;
}

/* ---- the rest ---- */

/* What keeps the spec from being applied, though its inputs can be looked at; the first such fault counts. */
static int later(struct reading *r)
{
	if (!r->s->refused) {
		r->s->refused = arena_new_of(r->a, struct err);
		*r->s->refused = *r->e;
	}
	err_clear(r->e);
	return 0;
}

static int secrets(struct reading *r, const struct dom *v)
{
	struct dom *list;

	if (says_nothing(v))
		return 0;
	if (want(r, v, DOM_LIST, "secrets"))
		return -1;
	list = map_at(r, v, DOM_LIST);
	dom_each(item, v) {
		struct dom *one;

		if (want(r, item, DOM_MAP, "secrets"))
			return -1;
		one = map_at(r, item, DOM_MAP);
		if (take_fields(r, item, secret_fields, ARRAY_LEN(secret_fields), "secret", one))
			return -1;
		dom_add(list, one);
	}
	dom_set(r->a, r->s->job, "secrets", list);
	return 0;
}

static int egress(struct reading *r, const struct dom *v)
{
	const struct dom *object, *sql;
	struct dom *out, *inner;

	if (says_nothing(v))
		return 0;
	if (want(r, v, DOM_MAP, "egress"))
		return -1;
	out = map_at(r, v, DOM_MAP);
	object = get(v, "objectStorage");
	sql = get(v, "sqlDatabase");
	if (take_fields(r, v, egress_fields, ARRAY_LEN(egress_fields), "egress", out) ||
	    (object && want(r, object, DOM_MAP, "objectStorage")) || (sql && want(r, sql, DOM_MAP, "sqlDatabase")))
		return -1;
	if (object) {
		inner = map_at(r, object, DOM_MAP);
		if (take_fields(r, object, object_fields, ARRAY_LEN(object_fields), "objectStorage", inner))
			return -1;
		dom_set(r->a, out, "objectStorage", inner);
	}
	if (sql) {
		inner = map_at(r, sql, DOM_MAP);
		if (take_fields(r, sql, database_fields, ARRAY_LEN(database_fields), "sqlDatabase", inner))
			return -1;
		dom_set(r->a, out, "sqlDatabase", inner);
	}
	dom_set(r->a, r->s->job, "egress", out);
	return 0;
}

static int transform(struct reading *r, const struct dom *v)
{
	const struct dom *image, *cmd, *secret = get(v, "secrets");

	if (want(r, v, DOM_MAP, "transform") || (secret && secrets(r, secret)))
		return -1;
	image = get(v, "image");
	cmd = get(v, "cmd");
	if (image && want(r, image, DOM_STR, "image"))
		return -1;
	if (image) {
		put(r, r->s->job, "image", image);
		r->s->image = image->s;
	}
	if (!cmd || cmd->type != DOM_LIST || !cmd->n || cmd->first->type != DOM_STR) {
		err_set(r->e, ERR_BAD_CONFIG, "the transform has no command");
		err_hint(r->e,
		         "an image alone cannot be run here: add cmd, as in \"cmd\": [\"python3\", \"/app/x.py\"]");
		at(r, cmd ? cmd : v);
		return later(r);
	}
	r->s->program = cmd->first->s;
	r->s->cmd_line = cmd->first->line;
	r->s->cmd_col = cmd->first->col;
	put(r, r->s->job, "cmd", cmd);
	return take_fields(r, v, transform_fields, ARRAY_LEN(transform_fields), "", r->s->job);
}

/* datumTries counts the first try; without it there are three. */
static int tries(struct reading *r, const struct dom *doc)
{
	const struct dom *v = get(doc, "datumTries");
	int64_t n = 3;

	if (v && (v->type == DOM_INT ? (n = v->i) < 1 : v->type != DOM_STR || !str_to_i64(v->s, &n) || n < 1)) {
		err_set(r->e, ERR_BAD_CONFIG, "\"datumTries\" must be a whole number from 1 on");
		return at(r, v);
	}
	if (n > 1 && !r->kind->stays) {
		dom_set_int(r->a, r->s->job, "retries", n - 1);
		dom_set_cstr(r->a, r->s->job, "retry_delay", "0s");
	}
	return 0;
}

static int words(struct reading *r, const struct dom *doc)
{
	const struct dom *again = get(doc, "reprocessSpec"), *branch = get(doc, "outputBranch"),
			 *salt = get(doc, "salt");

	if (again && !(again->type == DOM_STR && str_is(again->s, "until_success"))) {
		if (again->type != DOM_STR || !str_is(again->s, "every_job")) {
			err_set(r->e, ERR_BAD_CONFIG, "\"reprocessSpec\" is until_success or every_job");
			return at(r, again);
		}
		put_text(r, r->s->job, "reprocessSpec", again->s, again);
	}
	if (branch && !(branch->type == DOM_STR && str_is(branch->s, "master")))
		put(r, r->s->job, "outputBranch", branch);
	if (salt) {
		struct dom *params = dom_new(r->a, DOM_MAP);

		put(r, params, "salt", salt);
		dom_set(r->a, r->s->job, "params", params);
	}
	return 0;
}

static const struct field service_fields[] = {
	{"internalPort", TAKEN, NULL}, {"externalPort", TAKEN, NULL}, {"ip", SILENT, NULL}, {"type", SILENT, NULL},
};
static const struct field spout_fields[] = {
	{"service", TAKEN, NULL},
	{"overwrite", SILENT, NULL},
	{"marker", REFUSED, "a spout that starts again finds what it committed when its output is one of its inputs"},
};

static int port_of(struct reading *r, const struct dom *v, int64_t *out)
{
	if (!v)
		return 0;
	if ((v->type != DOM_INT || (*out = v->i) < 1) && (v->type != DOM_STR || !str_to_i64(v->s, out) || *out < 1)) {
		err_set(r->e, ERR_BAD_CONFIG, "a port is a number from 1 to 65535");
		return at(r, v);
	}
	return 0;
}

/* Here is no cluster: the process listens at its own port of this machine. */
static int service(struct reading *r, const struct dom *v)
{
	int64_t inner = 0, outer = 0;

	if (want(r, v, DOM_MAP, "service") ||
	    take_fields(r, v, service_fields, ARRAY_LEN(service_fields), "", r->s->job) ||
	    port_of(r, get(v, "internalPort"), &inner) || port_of(r, get(v, "externalPort"), &outer))
		return -1;
	if (!inner && !outer)
		return 0;
	dom_set_int(r->a, r->s->job, "port", inner ? inner : outer);
	if (inner && outer && inner != outer)
		note(r,
		     "%.*s: it is at port %lld of this machine, as internalPort says; externalPort %lld is for "
		     "Kubernetes",
		     STR_ARG(r->s->name), (long long)inner, (long long)outer);
	return 0;
}

/* A pipeline that is not a job of units, but of the kind of that name. */
static void stays(struct reading *r, const struct dom *doc, const char *word, const struct job_kind *const *kinds)
{
	for (; get(doc, word) && *kinds; kinds++)
		if (!strcmp((*kinds)->name, word))
			r->kind = *kinds;
}

static int stay_fields(struct reading *r, const struct dom *doc)
{
	const struct dom *own = get(doc, "service"), *spout = get(doc, "spout");

	if (own && service(r, own))
		return -1;
	if (!spout || says_nothing(spout))
		return 0;
	own = get(spout, "service");
	return want(r, spout, DOM_MAP, "spout") ||
	                       take_fields(r, spout, spout_fields, ARRAY_LEN(spout_fields), "", r->s->job) ||
	                       (own && service(r, own))
	               ? -1
	               : 0;
}

static struct str name_of_file(struct arena *a, const char *file)
{
	struct str s = str_of(file), head, last, ext;

	if (str_rcut(s, '/', &head, &last))
		s = last;
	if (str_rcut(s, '.', &last, &ext) && last.n)
		s = last;
	return arena_str(a, s);
}

static int name(struct reading *r, const struct dom *doc)
{
	const struct dom *v = get(doc, "pipeline"), *n = v && v->type == DOM_MAP ? get(v, "name") : v;

	if (v && (!n || n->type != DOM_STR)) {
		err_set(r->e, ERR_BAD_CONFIG, "the pipeline has no name");
		return at(r, v);
	}
	if (!n) {
		r->s->name = name_of_file(r->a, r->file);
		note(r, "it has no pipeline name, so it is the job %.*s, after its file", STR_ARG(r->s->name));
	} else {
		r->s->name = n->s;
	}
	return name_check_job(r->s->name, r->e) ? at(r, n ? n : doc) : 0;
}

static int one_spec(struct reading *r, const struct dom *doc, const struct job_kind *const *kinds)
{
	const struct dom *t = get(doc, "transform"), *push = get(doc, "egress");

	r->s->doc = doc;
	r->s->job = map_at(r, doc, DOM_MAP);
	stays(r, doc, "service", kinds);
	stays(r, doc, "spout", kinds);
	dom_set_cstr(r->a, r->s->job, "kind", r->kind->name);
	if (!t) { /* perhaps it is there and written wrong */
		if (take_fields(r, doc, top_fields, ARRAY_LEN(top_fields), "", r->s->job))
			return -1;
		err_set(r->e, ERR_BAD_CONFIG, "the spec has no transform");
		return at(r, doc);
	}
	if (name(r, doc) || stay_fields(r, doc) ||
	    take_fields(r, doc, top_fields, ARRAY_LEN(top_fields), "", r->s->job) || inputs(r, doc) ||
	    transform(r, t) || (push && egress(r, push)) || tries(r, doc) || words(r, doc))
		return -1;
	return 0;
}

/* ---- files ---- */

static bool is_spec(const struct dom *doc)
{
	const struct dom *p = get(doc, "pipeline");

	return get(doc, "transform") || (p && p->type == DOM_MAP);
}

static int add(struct arena *a, const struct dom *doc, const char *file, const struct job_kind *const *kinds,
               struct spec_list *out, struct err *e)
{
	struct spec s = {0};
	struct reading r = {.a = a, .file = file, .s = &s, .e = e};

	if (doc->type == DOM_LIST) {
		dom_each (item, doc)
			if (add(a, item, file, kinds, out, e))
				return -1;
		return 0;
	}
	if (doc->type == DOM_NULL)
		return 0;
	if (want(&r, doc, DOM_MAP, "the spec"))
		return -1;
	if (out->specs.n == SPEC_MAX) {
		err_set(e, ERR_LIMIT, "more than %d specs in one file", SPEC_MAX);
		return at(&r, doc);
	}
	for (const struct job_kind *const *k = kinds; *k; k++)
		if (!strcmp((*k)->name, "script"))
			r.kind = *k;
	BUG_IF(!r.kind);
	if (is_spec(doc) ? one_spec(&r, doc, kinds) : 0)
		return -1;
	if (!is_spec(doc)) {
		out->plain = true;
		if (!dom_get(doc, "kind")) /* its files would tell, and they are not there yet */
			dom_set_cstr(a, (struct dom *)doc, "kind", r.kind->name);
		s = (struct spec){.name = name_of_file(a, file), .job = (struct dom *)doc, .doc = doc};
	}
	vec_push(a, &out->specs, s);
	return 0;
}

/* Where the first JSON value of a text ends. */
static size_t json_end(struct str s)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted && c == '\\') {
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && (c == '{' || c == '[')) {
			depth++;
		} else if (!quoted && (c == '}' || c == ']') && depth && !--depth) {
			return i + 1;
		}
	}
	return s.n;
}

static size_t count_lines(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* Places as they are in the file, of a document that began `lines` below its first line. */
static void shift(struct dom *v, int lines)
{
	v->line += lines;
	v->key_line += v->key_line ? lines : 0;
	if (v->type == DOM_MAP || v->type == DOM_LIST)
		dom_each (child, v)
			shift(child, lines);
}

/* JSON documents one after the other. */
static int read_json(struct arena *a, struct str text, const char *file, const struct job_kind *const *kinds,
                     struct spec_list *out, struct err *e)
{
	struct str left = text;

	size_t lines = 0;

	while (str_trim(left).n) {
		size_t end = json_end(left);
		struct str one = str_sub(left, 0, end);
		struct dom *doc;

		if (dom_json(a, one, file, &doc, e)) {
			e->code = ERR_BAD_CONFIG;
			e->line += (int)lines;
			out->fault = true;
			return -1;
		}
		shift(doc, (int)lines);
		if (add(a, doc, file, kinds, out, e))
			return -1;
		lines += count_lines(one);
		left = str_sub(left, end, left.n);
	}
	return 0;
}

int spec_read(struct arena *a, struct str text, const char *file, const struct job_kind *const *kinds,
              struct spec_list *out, struct err *e)
{
	struct spec_list list = {.text = text};
	struct str begin = str_trim(text);
	struct err json = ERR_INIT, yaml = ERR_INIT;
	struct dom *docs = NULL;

	if (text.n > SPEC_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", file, SPEC_MAX_BYTES);
	list.json = begin.n && (begin.p[0] == '{' || begin.p[0] == '[');
	if (list.json && read_json(a, text, file, kinds, &list, &json)) {
		/* YAML may begin so too; where it is none either, the fault is that of the JSON. */
		if (json.code != ERR_BAD_CONFIG || list.specs.n || dom_yaml_all(a, text, file, &docs, &yaml) ||
		    !list.fault) {
			*e = json;
			return -1;
		}
		list.json = false;
	}
	if (!list.json) {
		if (!docs && dom_yaml_all(a, text, file, &docs, e))
			return -1;
		dom_each (doc, docs)
			if (add(a, doc, file, kinds, &list, e))
				return -1;
	}
	if (!list.specs.n) {
		err_set(e, ERR_BAD_CONFIG, "there is no pipeline spec in it");
		return err_at(e, file, 1, 1);
	}
	if (list.plain && list.specs.n > 1) {
		err_set(e, ERR_BAD_CONFIG, "of several documents each must be a pipeline spec, with a transform");
		return err_at(e, file, 1, 1);
	}
	*out = list;
	return 0;
}
