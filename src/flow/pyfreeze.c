#include "flow/pyfreeze.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "flow/plug.h"
#include "flow/pyenv.h"
#include "sys/env.h"
#include "sys/file.h"
#include "sys/proc.h"

#define TEXT_MAX ((size_t)4 << 20)
#define WAIT_MS 20000

/* Of one interpreter. */
struct known {
	const struct dom *doc; /* what it said; NULL: nothing yet */
	struct sha id;         /* of its list */
	struct str text;
	bool kept;             /* that is on its way into the database */
	struct proc proc;      /* it is being asked */
	int fd;                /* where it writes; -1 */
};

static const char *file_of(struct flow *f, struct arena *a, const char *which)
{
	char *real = realpath(which, NULL);
	const char *home = getenv("HOME"), *out = NULL;
	struct file_key key = {0}, cfg = {0};
	struct err e = ERR_INIT;
	struct sha_ctx h;
	struct sha id;
	char hex[SHA_HEX + 1];

	if (real && !file_stat_key(real, &key, &e)) {
		if (file_stat_key(arena_printf(a, "%s/../pyvenv.cfg", path_dir(a, which)), &cfg, &e))
			err_clear(&e);
		sha_init(&h);
		sha_field(&h, str_of(which));
		sha_field(&h, str_of(home ? home : "")); /* packages of the user's own lie there */
		sha_add(&h, &key, sizeof(key));
		sha_add(&h, &cfg, sizeof(cfg));
		id = sha_end(&h);
		sha_hex(&id, hex);
		out = arena_printf(a, "%s/cache/env/packages-%.16s", f->store->leat_dir, hex);
	}
	free(real);
	return out;
}

/* Whether its folders stand as they did. */
static bool holds(struct arena *a, const struct dom *doc)
{
	const struct dom *places = dom_get(doc, "places");

	if (!places || places->type != DOM_LIST || !dom_get(doc, "freeze"))
		return false;
	dom_each(v, places) {
		const struct dom *path = v->type == DOM_LIST ? v->first : NULL, *at = path ? path->next : NULL;
		struct stat st;

		if (!path || path->type != DOM_STR || !at || at->type != DOM_INT || stat(arena_cstr(a, path->s), &st) ||
		    (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != at->i)
			return false;
	}
	return true;
}

static void take(struct flow *f, struct known *k, struct str json)
{
	struct err e = ERR_INIT;
	const struct dom *list;
	struct dom *doc;

	k->doc = NULL;
	if (dom_json(f->arena, json, "packages", &doc, &e))
		return;
	list = dom_get(doc, "freeze");
	if (!list || list->type != DOM_STR)
		return;
	k->doc = doc;
	k->text = list->s;
	k->id = sha_of(list->s.p, list->s.n);
	k->kept = false;
}

static void ask(struct arena *a, struct known *k, const char *which)
{
	const char *argv[] = {which, "-c", pyenv_script, "freeze", NULL};
	struct proc_spec s = PROC_SPEC;
	struct err e = ERR_INIT;
	struct env v;

	k->fd = memfd_create("packages", MFD_CLOEXEC);
	if (k->fd < 0)
		return;
	env_init(&v, a);
	env_keep(&v, "PATH");
	env_keep(&v, "HOME");
	s.argv = argv;
	s.env = env_array(&v);
	s.cwd = "/";
	s.out = k->fd;
	s.err = -1;
	s.nice = 5;
	s.die_with_parent = true;
	if (!proc_spawn(&s, &k->proc, &e))
		return;
	fd_close(&k->fd);
}

static struct known *known_of(struct flow *f, const char *which)
{
	struct known *k = map_get(&f->freezes, str_of(which));

	if (!k) {
		k = arena_new_of(f->arena, struct known);
		*k = (struct known){.fd = -1, .proc = PROC_INIT};
		map_set(&f->freezes, str_of(which), k);
	}
	return k;
}

void pyfreeze_begin(struct flow *f, const char *which)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct known *k = which ? known_of(f, which) : NULL;
	struct err e = ERR_INIT;
	const char *path;
	struct str text;

	if (!k || k->fd >= 0 || (k->doc && holds(a, k->doc)))
		return;
	path = file_of(f, a, which);
	if (!path)
		return;
	k->doc = NULL;
	if (file_exists(path) && !file_read_plain(f->arena, path, TEXT_MAX, &text, &e))
		take(f, k, text);
	if (!k->doc || !holds(a, k->doc))
		ask(a, k, which);
}

/* Waits for what was asked. */
static void hear(struct flow *f, struct known *k, const char *which)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct err e = ERR_INIT;
	struct proc_exit x;
	struct str text;
	const char *path;
	int r;

	k->doc = NULL;
	r = proc_wait_for(&k->proc, WAIT_MS, &x, &e);
	if (r == 1 && proc_exit_ok(&x) && lseek(k->fd, 0, SEEK_SET) == 0 &&
	    !file_read_fd(f->arena, k->fd, "packages", TEXT_MAX, &text, &e))
		take(f, k, text);
	if (!r) {
		proc_signal(&k->proc, SIGKILL);
		if (proc_wait(&k->proc, &x, &e))
			err_clear(&e);
	}
	proc_free(&k->proc);
	fd_close(&k->fd);
	path = k->doc ? file_of(f, a, which) : NULL;
	if (path && (dir_make_parent(path, 0777, &e) || file_replace(path, text, 0666, 0, &e)))
		err_clear(&e);
}

void pyfreeze_end(struct flow *f, struct attempt *t, const char *which, struct dom *python,
                  struct attempt_result *result)
{
	static const char *const words[] = {"version", "executable", "real", "implementation", "packages"};
	struct known *k = which ? known_of(f, which) : NULL;
	char hex[SHA_HEX + 1];

	if (!k)
		return;
	if (k->fd < 0 && !k->doc) /* of a run that was taken over */
		pyfreeze_begin(f, which);
	if (k->fd >= 0)
		hear(f, k, which);
	if (!k->doc)
		return;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (dom_get(k->doc, words[i]) && !dom_get(python, words[i]))
			dom_set(t->arena, python, words[i], dom_copy(t->arena, dom_get(k->doc, words[i])));
	sha_hex(&k->id, hex);
	dom_set_cstr(t->arena, python, "freeze", hex);
	if (t->pyenv)
		dom_set_cstr(t->arena, python, "environment", t->pyenv->name);
	if (!k->kept) {
		result->text = k->text;
		result->text_id = k->id;
	}
	k->kept = true;
}

void pyfreeze_close(struct flow *f)
{
	struct str key;
	void *value;

	for (size_t i = 0; map_each(&f->freezes, &i, &key, &value);) {
		struct known *k = value;
		struct err e = ERR_INIT;
		struct proc_exit x;

		if (k->fd < 0)
			continue;
		proc_signal(&k->proc, SIGKILL);
		if (proc_wait(&k->proc, &x, &e))
			err_clear(&e);
		proc_free(&k->proc);
		fd_close(&k->fd);
	}
}
