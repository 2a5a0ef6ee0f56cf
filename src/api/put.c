#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/change.h"
#include "api/data.h"
#include "api/fetch.h"
#include "api/stay.h"
#include "base/name.h"
#include "base/str.h"
#include "flow/owner.h"
#include "repo/blob.h"
#include "repo/datastore.h"
#include "sys/file.h"

#define PARALLEL 4     /* URLs fetched at once */
#define APPEND_TRIES 200 /* of an append beside others to the same file */

/* One thing to put: what the user named, and where its bytes are now. */
struct source {
	struct str arg;
	const char *file;   /* a file or folder */
	struct str base;    /* its name in a folder; "" = a folder's content */
	bool ours;          /* in our scratch folder */
	const char *list;   /* the file whose line named it; NULL: the command line did */
	int line;
};

struct putting {
	struct change *c;
	struct write *w;
	const struct args *args;
	struct str prefix, name;   /* "ds=D/" or ""; --name */
	bool append, untar, stdin_read;
	int64_t parallel;
	VEC(struct source) sources;
};

/* --- one file or folder --- */

struct folder_put {
	struct putting *p;
	struct str under;
};

static int add_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct folder_put *fp = ptr;
	struct change *c = fp->p->c;

	return change_put(c, fp->p->w, arena_strf(c->api->arena, "%.*s/%.*s", STR_ARG(fp->under), STR_ARG(path)),
	                  entry, e);
}

/* The file as the branch, or the open commit, has it now: 1, 0, -1. */
static int present(struct putting *p, struct str path, struct entry *out, struct err *e)
{
	struct store *s = p->c->api->store;
	struct open_commit o;
	struct commit head;
	struct repo repo;
	int r = repo_find_any(s, p->c->api->arena, p->w->repo, &repo, e);

	if (r <= 0)
		return r;
	if (p->w->open.hex[0]) {
		r = open_find(s, p->c->api->arena, repo.id, str_of(p->w->open.hex), &o, e);
		head.tree = o.tree;
	} else {
		r = branch_head(s, repo.id, p->w->branch, &head, e);
	}
	return r <= 0 ? r : tree_find(s, NULL, &head.tree, path, out, e);
}

/* A file of ours with the old bytes and the new ones behind them. */
static int join(struct putting *p, const struct entry *old, const char *file, const char **out, struct err *e)
{
	int from FD_CLEANUP = -1, more FD_CLEANUP = -1, to FD_CLEANUP = -1;
	const char *dir, *path;

	if (change_scratch(p->c, &dir, e))
		return -1;
	path = arena_printf(p->c->api->arena, "%s/join-%zu", dir, p->w->expects.n);
	if (file_unlink(path, e) || blob_open(p->c->api->store, &old->id, &from, e) || file_open_read(file, &more, e) ||
	    file_open_write(path, O_EXCL, 0444, &to, e) ||
	    file_copy_fd_sha(from, "the store", to, path, NULL, NULL, e) ||
	    file_copy_fd_sha(more, file, to, path, NULL, NULL, e))
		return -1;
	*out = path;
	return 0;
}

static int append_file(struct putting *p, struct str path, const char *file, struct err *e)
{
	struct arena *a = p->c->api->arena;
	struct write_expect x = {0};
	char norm[NAME_MAX_PATH + 1];
	struct entry old, entry;
	const char *joined;
	size_t n;
	int r;

	if (name_path(path, norm, &n, NULL, e))
		return -1;
	x.path = arena_str(a, (struct str){norm, n});
	if (change_pending(p->c, p->w, x.path, &entry)) {
		err_set(e, ERR_BAD_REQUEST, "/%.*s is written twice by one change, once to append", STR_ARG(x.path));
		return err_hint(e, "append to it by a command of its own");
	}
	r = present(p, x.path, &old, e);
	if (r < 0)
		return -1;
	if (r && old.kind == ENTRY_FOLDER)
		return err_set(e, ERR_REFUSED, "/%.*s is a folder, so nothing can be appended to it", STR_ARG(x.path));
	x.there = r;
	if (r)
		x.id = old.id;
	if (r ? join(p, &old, file, &joined, e) || ingest_file(p->c->in, joined, INGEST_MOVE, &entry, e)
	      : ingest_file(p->c->in, file, INGEST_COPY, &entry, e))
		return -1;
	vec_push(a, &p->w->expects, x);
	return change_put(p->c, p->w, x.path, &entry, e);
}

struct append_walk {
	struct putting *p;
	const char *dir;
	struct str under;
};

static int append_entry(const struct dir_entry *entry, void *ptr, struct err *e)
{
	struct append_walk *w = ptr;
	struct arena *a = w->p->c->api->arena;
	const char *file = path_join(a, w->dir, entry->path);

	if (entry->type == DIR_FOLDER)
		return DIR_GO;
	if (entry->type != DIR_FILE)
		return err_set(e, ERR_REFUSED, "%s is no plain file, and --append takes no other", file);
	return append_file(w->p, arena_strf(a, "%.*s/%s", STR_ARG(w->under), entry->path), file, e);
}

/* A folder's files are put one by one, so that what is there already beside them stays. */
static int put_folder(struct putting *p, const struct source *src, struct str under, struct err *e)
{
	struct folder_put fp = {p, under};
	struct append_walk aw = {p, src->file, under};

	if (p->append)
		return dir_walk(src->file, 0, append_entry, &aw, e);
	return ingest_each(p->c->in, src->file, src->ours ? INGEST_MOVE : INGEST_COPY, add_file, &fp, e);
}

/* `put R .` in a workspace would swallow the store while it grows; nobody means that. */
static int refuse_store(struct putting *p, const struct source *src, const char *dir, struct err *e)
{
	struct api *api = p->c->api;
	const char *leat_dir = path_join(api->arena, api->ws->dir, ".leat");

	if (src->ours || (!path_inside(dir, leat_dir, NULL) && !path_inside(leat_dir, dir, NULL)))
		return 0;
	err_set(e, ERR_REFUSED, "%.*s holds the workspace itself", STR_ARG(src->arg));
	return err_hint(e, "name the folder or the files in it that are data");
}

static int look(struct putting *p, const struct source *src, struct stat *st, struct err *e)
{
	const struct write *w = p->w;
	struct arena *a = p->c->api->arena;

	if (!file_stat(src->file, st, e))
		return 0;
	return e->code == ERR_NOT_FOUND && !w->path.n && file_exists(arena_cstr(a, w->repo))
	               ? err_hint(e, "the repo stands first: leat put %s %.*s", src->file, STR_ARG(w->repo))
	               : -1;
}

/* The folder rules (docs/how-to/put.md), for one argument of several (`many`). */
static int put_one(struct putting *p, const struct source *src, bool many, struct err *e)
{
	struct arena *a = p->c->api->arena;
	struct write *w = p->w;
	struct str base = src->base, path;
	char real[PATH_MAX];
	struct entry entry;
	struct stat st;

	if (look(p, src, &st, e))
		return -1;
	if (!realpath(src->file, real)) /* a link that the user names stands for what it leads to */
		return err_errno(e, errno, "cannot look at %s", src->file);
	if (S_ISDIR(st.st_mode)) {
		if (refuse_store(p, src, real, e))
			return -1;
		if (str_is(base, ".") || str_is(base, "..") || !many)
			base = STR("");
		path = arena_strf(a, "%.*s%.*s/%.*s", STR_ARG(p->prefix), STR_ARG(w->path), STR_ARG(base));
		return put_folder(p, src, path, e);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD_REQUEST, "%s is neither a file nor a folder", src->file);
	if (p->name.p)
		base = p->name;
	if (w->into || many || !w->path.n) {
		if (!base.n) {
			err_set(e, ERR_BAD_REQUEST, "standard input has no name");
			return err_hint(e, "give a path, REPO:/PATH, or --name NAME");
		}
		path = arena_strf(a, "%.*s%.*s%s%.*s", STR_ARG(p->prefix), STR_ARG(w->path), w->path.n ? "/" : "",
		                  STR_ARG(base));
	} else {
		path = arena_strf(a, "%.*s%.*s", STR_ARG(p->prefix), STR_ARG(w->path));
	}
	if (p->append)
		return append_file(p, path, real, e);
	/* a scratch file may be needed for another try */
	return ingest_file(p->c->in, real, INGEST_COPY, &entry, e) || change_put(p->c, w, path, &entry, e) ? -1 : 0;
}

/* Two files of one command that would get one name: which of them the user means is not for us to guess. */
static int check_twice(struct putting *p, struct err *e)
{
	struct map seen;

	map_init(&seen, p->c->api->arena);
	for (size_t i = 0; i < p->w->edits.n; i++) {
		struct tree_edit *edit = &p->w->edits.p[i], *other = map_get(&seen, edit->path);

		if (other && !sha_eq(&other->entry.id, &edit->entry.id)) {
			err_set(e, ERR_BAD_REQUEST, "two different files would both be /%.*s", STR_ARG(edit->path));
			return err_hint(e, "put them with two commands, or into two folders");
		}
		map_set(&seen, edit->path, edit);
	}
	return 0;
}

/* What is wrong with a line of a list is said with its place. */
static int of_line(const struct source *src, struct err *e)
{
	return src->list ? err_at(e, src->list, src->line, 0) : -1;
}

static int put_all(struct putting *p, struct err *e)
{
	p->w->edits.n = 0;
	p->w->expects.n = 0;
	for (size_t i = 0; i < p->sources.n; i++)
		if (put_one(p, &p->sources.p[i], p->sources.n > 1, e))
			return of_line(&p->sources.p[i], e);
	return check_twice(p, e);
}

/* --- what is to be put --- */

static void add_source(struct putting *p, struct str arg, const char *list, int line)
{
	struct source src = {.arg = arg, .file = arena_cstr(p->args->arena, arg), .list = list, .line = line};

	vec_push(p->args->arena, &p->sources, src);
}

static int read_stdin_once(struct putting *p, struct err *e)
{
	if (p->c->batch)
		return err_set(e, ERR_BAD_REQUEST, "a batch's lines read no standard input");
	if (p->stdin_read)
		return err_set(e, ERR_BAD_REQUEST, "standard input can be read once only");
	p->stdin_read = true;
	return 0;
}

/* -i LIST: a file or URL a line. */
static int add_list(struct putting *p, struct str list, struct err *e)
{
	struct arena *a = p->args->arena;
	const char *name = str_is(list, "-") ? "standard input" : arena_cstr(a, list);
	struct str text, line;
	int nr = 0;

	if (str_is(list, "-") ? read_stdin_once(p, e) || file_read_fd(a, STDIN_FILENO, "standard input", FILE_MAX_TEXT,
	                                                              &text, e)
	                      : file_read(a, arena_cstr(a, list), FILE_MAX_TEXT, &text, e))
		return -1;
	while (str_next_line(&text, &line) && ++nr)
		if (str_trim(line).n)
			add_source(p, line, name, nr);
	return 0;
}

static int gather(struct putting *p, struct err *e)
{
	const struct args *args = p->args;

	for (size_t i = 1; i < args_n(args); i++)
		add_source(p, args_pos(args, i), NULL, 0);
	if (args_flag(args, "stdin"))
		add_source(p, STR("-"), NULL, 0);
	for (size_t i = 0; i < args_count(args, "list"); i++)
		if (add_list(p, args_nth(args, "list", i), e))
			return -1;
	if (p->sources.n || args_count(args, "list"))
		return 0;
	err_set(e, ERR_BAD_REQUEST, "'leat put' needs FILE|DIR|URL|-");
	return err_hint(e, "what to put; - is standard input; see 'leat help put'");
}

/* Standard input as a file of ours, so that it can be read again. */
static int spool(struct putting *p, struct source *src, struct err *e)
{
	const char *dir;
	int to FD_CLEANUP = -1;

	if (read_stdin_once(p, e) || change_scratch(p->c, &dir, e))
		return -1;
	src->file = arena_printf(p->args->arena, "%s/stdin", dir);
	src->base = STR("");
	src->ours = true;
	return file_open_write(src->file, O_EXCL, 0600, &to, e) ||
			       file_copy_fd_sha(STDIN_FILENO, "standard input", to, src->file, NULL, NULL, e)
		       ? -1
		       : 0;
}

/* An archive or a URL is fetched into a folder of ours; a file of an archive's content is put as a folder's are. */
static int plan_fetch(struct putting *p, struct source *src, size_t i, struct fetch_item *it, struct err *e)
{
	struct arena *a = p->args->arena;
	bool url = fetch_is_url(src->arg);
	const char *dir;
	char real[PATH_MAX];
	struct stat st;

	if (change_scratch(p->c, &dir, e))
		return -1;
	*it = (struct fetch_item){
		.url = src->arg, .arg = src->arg, .dir = arena_printf(a, "%s/%zu", dir, i), .untar = p->untar};
	it->name = "archive";
	if (!url) {
		if (!src->ours && look(p, src, &st, e))
			return -1;
		if (!realpath(src->file, real))
			return err_errno(e, errno, "cannot look at %s", src->file);
		it->url = fetch_file_url(a, real);
	} else if (!p->untar && fetch_name(a, src->arg, &it->name, e)) {
		/* the user may have named it */
		if (!p->name.p && (p->w->into || !p->w->path.n))
			return -1;
		err_clear(e);
		it->name = "download";
	}
	src->file = p->untar ? it->dir : path_join(a, it->dir, it->name);
	src->base = p->untar ? STR("") : str_of(it->name);
	src->ours = true;
	return 0;
}

static int bring(struct putting *p, struct err *e)
{
	struct arena *a = p->args->arena;
	VEC(struct fetch_item) items = {0};

	for (size_t i = 0; i < p->sources.n; i++) {
		struct source *src = &p->sources.p[i];
		struct fetch_item it;

		if (str_is(src->arg, "-")) {
			if (spool(p, src, e))
				return of_line(src, e);
		} else if (!fetch_is_url(src->arg)) {
			src->base = str_of(path_base(a, src->file));
		}
		if (!p->untar && !fetch_is_url(src->arg))
			continue;
		if (plan_fetch(p, src, i, &it, e))
			return of_line(src, e);
		vec_push(a, &items, it);
	}
	return fetch_all(p->c->api, items.p, items.n, (unsigned)p->parallel, e);
}

static int begin(struct putting *p, struct change *c, const struct args *args, struct err *e)
{
	*p = (struct putting){.c = c, .args = args};
	p->name = args_value(args, "name");
	p->append = args_flag(args, "append");
	p->untar = args_flag(args, "untar");
	p->w = change_write(c, args, "put");
	if (fetch_is_url(args_pos(args, 0))) {
		err_set(e, ERR_BAD_REQUEST, "'%.*s' is a URL", STR_ARG(args_pos(args, 0)));
		return err_hint(e, "the repo stands first: leat put REPO %.*s", STR_ARG(args_pos(args, 0)));
	}
	return change_target(c, args_pos(args, 0), true, p->w, e) || rows_ds_prefix(args, &p->prefix, e) ||
			       change_words(args, &p->w->message, &p->w->author, &p->w->meta, e) ||
			       args_int(args, "parallel", 1, FETCH_MAX_PARALLEL, PARALLEL, &p->parallel, e) ||
			       gather(p, e) || bring(p, e) || put_all(p, e)
		       ? -1
		       : 0;
}

int put_ready(struct change *c, const struct args *args, struct err *e)
{
	struct putting p;

	c->run |= args_flag(args, "run");
	return begin(&p, c, args, e);
}

int api_put(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct putting p;
	struct change c;
	int rc;

	change_begin(&c, api, args);
	rc = begin(&p, &c, args, e);
	if (!rc)
		rc = change_do(&c, out, e);
	for (int tries = 1; rc && c.stale && tries < APPEND_TRIES; tries++) {
		err_clear(e);
		rc = put_all(&p, e) || change_do(&c, out, e) ? -1 : 0;
	}
	change_end(&c);
	if (!rc && args_flag(args, "run") && !c.no_event)
		rc = data_follow(api, args, "put", c.id, out, e);
	return rc;
}

static void note_text(void *ptr, const char *text)
{
	sink_note(ptr, "%s", text);
}

int api_commit(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct adopt_opts o = {
		.restore = args_flag(args, "restore"), .rehash = args_flag(args, "rehash"),
		.message = args_value(args, "message"),
	};
	struct str rev = STR_NULL;
	struct adopted *list;
	size_t n;
	bool some = false;

	if (args_n(args) && pin_parse(args_pos(args, 0), &o.repo, &rev, &o.path, e))
		return -1;
	if (rev.n && !str_is(rev, BRANCH_DEFAULT)) {
		err_set(e, ERR_BAD_REQUEST, "'%.*s': datastore/ shows " BRANCH_DEFAULT ", no other branch",
			STR_ARG(args_pos(args, 0)));
		return err_hint(e, "leat put %.*s FILE writes to it", STR_ARG(args_pos(args, 0)));
	}
	while (str_has_suffix(o.path, STR("/")))
		o.path.n--;
	struct err broken = ERR_INIT; /* jobs that cannot stand together: all outputs stay what they are */
	if (!api_open(api, OP_W | OP_J | OP_R, &broken) && owner_release(api->flow, e))
		return -1;
	if (o.repo.n && !o.path.n && !o.restore && api->flow) {
		int stays = stay_commit_repo(api, args, o.repo, out, e);

		if (stays)
			return stays < 0 ? -1 : 0;
	}
	if (datastore_commit(api->store, api->arena, &o, id_new(), &list, &n, note_text, out, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dom *row;

		if (!list[i].made && !list[i].added && !list[i].changed && !list[i].deleted)
			continue;
		some = true;
		row = row_commit(api->arena, list[i].repo, STR(BRANCH_DEFAULT), &list[i].commit);

		dom_set_bool(api->arena, row, "made", list[i].made);
		dom_set_int(api->arena, row, "added", list[i].added);
		dom_set_int(api->arena, row, "changed", list[i].changed);
		dom_set_int(api->arena, row, "deleted", list[i].deleted);
		if (sink_row(out, row, e))
			return -1;
	}
	if (!some)
		sink_note(out, "nothing to %s%s%.*s", o.restore ? "restore" : "commit", o.path.n ? " at /" : "",
			  STR_ARG(o.path));
	return 0;
}
