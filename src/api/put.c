#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/rows.h"
#include "base/ds.h"
#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "flow/owner.h"
#include "repo/datastore.h"
#include "sys/file.h"

/* Changes gathered for one commit: a put or an rm. */
struct edits {
	struct arena *arena;
	VEC(struct tree_edit) v;
};

static int add_edit(struct edits *ed, enum edit_op op, struct str path, const struct entry *entry, struct err *e)
{
	struct tree_edit edit = {.op = op};
	char norm[NAME_MAX_PATH + 1];
	size_t n;

	if (name_path(path, norm, &n, NULL, e))
		return -1;
	edit.path = arena_str(ed->arena, (struct str){norm, n});
	if (entry)
		edit.entry = *entry;
	vec_push(ed->arena, &ed->v, edit);
	return 0;
}

struct folder_put {
	struct edits *edits;
	struct str under;
};

static int add_file(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct folder_put *fp = ptr;

	return add_edit(fp->edits, EDIT_PUT,
	                arena_strf(fp->edits->arena, "%.*s/%.*s", STR_ARG(fp->under), STR_ARG(path)), entry, e);
}

/* A folder's files are put one by one, so that what is there already beside them stays. */
static int put_folder(struct api *api, struct ingest *in, const char *dir, struct str under, struct edits *ed,
                      struct err *e)
{
	struct folder_put fp = {ed, under};
	struct entry root;

	if (ingest_folder(in, dir, INGEST_COPY, &root, e))
		return -1;
	return tree_walk(api->store, in, &root.id, false, add_file, &fp, e);
}

struct put_target {
	struct str repo, branch, path, prefix; /* prefix: "ds=D/" or "" */
	bool into;                             /* path is a folder to put into */
	struct str name;                       /* --name */
};

static int put_stdin(struct ingest *in, const struct put_target *t, struct edits *ed, struct err *e)
{
	struct entry entry;
	struct str path = t->path;

	if (t->into || !path.n) {
		if (!t->name.p) {
			err_set(e, ERR_BAD_REQUEST, "standard input has no name");
			return err_hint(e, "give a path, REPO:/PATH, or --name NAME");
		}
		path = arena_strf(ed->arena, "%.*s%s%.*s", STR_ARG(path), path.n ? "/" : "", STR_ARG(t->name));
	}
	if (ingest_fd(in, STDIN_FILENO, &entry, e))
		return -1;
	return add_edit(ed, EDIT_PUT, arena_strf(ed->arena, "%.*s%.*s", STR_ARG(t->prefix), STR_ARG(path)), &entry, e);
}

/* `put R .` in a workspace would swallow the store while it grows; nobody means that. */
static int refuse_store(struct api *api, const char *given, const char *dir, struct err *e)
{
	const char *leat_dir = path_join(api->arena, api->ws->dir, ".leat");

	if (!path_inside(dir, leat_dir, NULL) && !path_inside(leat_dir, dir, NULL))
		return 0;
	err_set(e, ERR_REFUSED, "%s holds the workspace itself", given);
	return err_hint(e, "name the folder or the files in it that are data");
}

/* The folder rules of SEMANTICS 6, for one argument of several (`many`). */
static int put_one(struct api *api, struct ingest *in, const struct put_target *t, struct str arg, bool many,
                   struct edits *ed, struct err *e)
{
	struct arena *a = ed->arena;
	const char *file = arena_cstr(a, arg);
	char real[PATH_MAX];
	struct stat st;
	struct entry entry;
	struct str path, base = str_of(path_base(a, file));

	if (str_is(arg, "-"))
		return put_stdin(in, t, ed, e);
	if (str_has_prefix(arg, STR("http://")) || str_has_prefix(arg, STR("https://"))) {
		err_set(e, ERR_BAD_REQUEST, "put does not fetch '%.*s'", STR_ARG(arg));
		return err_hint(e, "a job of kind download does: leat new download NAME");
	}
	if (file_stat(file, &st, e))
		return e->code == ERR_NOT_FOUND && !t->path.n && file_exists(arena_cstr(a, t->repo))
		           ? err_hint(e, "the repo stands first: leat put %s %.*s", file, STR_ARG(t->repo))
		           : -1;
	if (!realpath(file, real)) /* a link that the user names stands for what it leads to */
		return err_errno(e, errno, "cannot look at %s", file);
	if (S_ISDIR(st.st_mode)) {
		if (refuse_store(api, file, real, e))
			return -1;
		if (str_is(base, ".") || str_is(base, "..") || !many)
			base = STR("");
		path = arena_strf(a, "%.*s%.*s/%.*s", STR_ARG(t->prefix), STR_ARG(t->path), STR_ARG(base));
		return put_folder(api, in, file, path, ed, e);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_BAD_REQUEST, "%s is neither a file nor a folder", file);
	if (t->name.p)
		base = t->name;
	if (t->into || many || !t->path.n)
		path = arena_strf(a, "%.*s%.*s%s%.*s", STR_ARG(t->prefix), STR_ARG(t->path), t->path.n ? "/" : "",
		                  STR_ARG(base));
	else
		path = arena_strf(a, "%.*s%.*s", STR_ARG(t->prefix), STR_ARG(t->path));
	if (ingest_file(in, real, INGEST_COPY, &entry, e))
		return -1;
	return add_edit(ed, EDIT_PUT, path, &entry, e);
}

/* Two files of one command that would get one name: which of them the user means is not for us to guess. */
static int check_twice(struct edits *ed, struct err *e)
{
	struct map seen;

	map_init(&seen, ed->arena);
	for (size_t i = 0; i < ed->v.n; i++) {
		struct tree_edit *edit = &ed->v.p[i], *other = map_get(&seen, edit->path);

		if (other && !sha_eq(&other->entry.id, &edit->entry.id)) {
			err_set(e, ERR_BAD_REQUEST, "two different files would both be /%.*s", STR_ARG(edit->path));
			return err_hint(e, "put them with two commands, or into two folders");
		}
		map_set(&seen, edit->path, edit);
	}
	return 0;
}

/* REPO[@BRANCH][:/PATH] as something to write to. */
static int parse_target(struct arena *a, struct str text, struct put_target *t, struct err *e)
{
	struct str path;
	char norm[NAME_MAX_PATH + 1];
	size_t n;

	if (pin_parse(text, &t->repo, &t->branch, &path, e))
		return -1;
	if (!t->branch.n)
		t->branch = STR(BRANCH_DEFAULT);
	else if (name_check_branch(t->branch, e))
		return -1;
	if (name_path(path, norm, &n, &t->into, e))
		return -1;
	t->path = arena_str(a, (struct str){norm, n});
	return 0;
}

/* Only asked for where a repo would be refused, so that put loads no jobs otherwise. */
static int release_output(struct api *api, struct repo *repo, struct err *e)
{
	struct err why = ERR_INIT;

	if (repo->role != REPO_OUTPUT || api_open(api, OP_W | OP_J | OP_R, &why))
		return 0;
	if (!owner_is_orphan(api->flow, repo->name))
		return 0;
	repo->role = REPO_SOURCE;
	return owner_release(api->flow, e);
}

static int refuse_output(const struct repo *repo, struct err *e)
{
	if (repo->role != REPO_OUTPUT)
		return 0;
	err_set(e, ERR_REFUSED, "%.*s is the output of job %.*s, which alone writes it", STR_ARG(repo->name),
	        STR_ARG(repo->job));
	return err_hint(e, "put into one of the job's inputs, or into a repo of another name");
}

/* One transaction: event, repo, commit. Its outcome in *commit, *made. */
static int record(struct api *api, struct ingest *in, const struct put_target *t, const struct edits *ed,
                  const struct args *args, const char *kind, struct commit *commit, bool *made, struct err *e)
{
	struct store *s = api->store;
	struct id id = id_new();
	struct event ev = {.id = id, .batch = id, .kind = kind, .label = "", .command = args->command};
	struct commit_new c = {
		.branch = t->branch, .id = id, .batch = id, .edits = ed->v.p, .n_edits = ed->v.n,
		.message = args_value(args, "message"), .even_if_equal = true,
	};

	if (db_begin(s->db, e))
		return -1;
	if (repo_ensure(s, api->arena, t->repo, REPO_SOURCE, STR_NULL, &c.repo, e) || refuse_output(&c.repo, e) ||
	    ingest_record(in, e) || event_record(s, &ev, e) || commit_make(s, in, &c, commit, made, e)) {
		db_rollback(s->db);
		return -1;
	}
	return db_commit(s->db, e);
}

/* "@" and what reads as a commit's id is meant as that commit, not as a new branch that is called like it. */
static int refuse_commit(struct api *api, const struct put_target *t, const struct repo *repo, struct err *e)
{
	struct err none = ERR_INIT;
	struct pin pin;
	struct str text = arena_strf(api->arena, "%.*s@%.*s", STR_ARG(t->repo), STR_ARG(t->branch));

	if (pin_resolve(api->store, api->arena, text, &pin, &none) || pin.branch.n)
		return 0; /* a branch that is there, or one to be made */
	err_set(e, ERR_REFUSED, "'%.*s' names a commit, which never changes", STR_ARG(text));
	return err_hint(e, "put into a branch: %.*s@" BRANCH_DEFAULT, STR_ARG(repo->name));
}

/* Refuses early what the transaction would refuse late, before bytes are read. */
static int check_repo(struct api *api, const struct put_target *t, struct err *e)
{
	struct repo repo;
	int found;

	if (name_check_repo(t->repo, e))
		return -1;
	found = repo_find(api->store, api->arena, t->repo, &repo, e);
	if (found <= 0)
		return found;
	return release_output(api, &repo, e) || refuse_output(&repo, e) || refuse_commit(api, t, &repo, e) ? -1 : 0;
}

int api_put(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct put_target t = {.name = args_value(args, "name")};
	struct edits ed = {.arena = api->arena};
	struct ingest *in;
	struct commit commit;
	bool made;
	size_t n = args_n(args);
	int rc = 0;

	if (parse_target(api->arena, args_pos(args, 0), &t, e) || rows_ds_prefix(args, &t.prefix, e) ||
	    check_repo(api, &t, e))
		return -1;
	in = ingest_new(api->store);
	for (size_t i = 1; !rc && i < n; i++)
		rc = put_one(api, in, &t, args_pos(args, i), n > 2, &ed, e);
	if (!rc)
		rc = check_twice(&ed, e);
	if (!rc)
		rc = ingest_sync(in, e);
	if (!rc)
		rc = record(api, in, &t, &ed, args, "put", &commit, &made, e);
	ingest_free(in);
	if (rc)
		return -1;
	return sink_row(out, row_commit(api->arena, t.repo, t.branch, &commit), e);
}

static int end_repo(struct api *api, struct str name, struct sink *out, struct err *e)
{
	struct store *s = api->store;
	struct repo repo;
	int rc = repo_find(s, api->arena, name, &repo, e);

	if (rc <= 0)
		return rc ? -1 : repo_not_found(s, name, e);
	if (api_open(api, OP_W | OP_J | OP_R, e))
		return -1;
	for (size_t i = 0; i < api->flow->jobs->n; i++) {
		const struct job *j = api->flow->jobs->all[i];

		if (str_eq(j->output, repo.name) && repo.role == REPO_OUTPUT)
			return err_set(e, ERR_REFUSED, "job %.*s writes %.*s", STR_ARG(j->name), STR_ARG(repo.name));
		for (size_t k = 0; k < j->n_inputs; k++)
			if (str_eq(j->inputs[k].repo, repo.name))
				return err_set(e, ERR_REFUSED, "job %.*s reads %.*s", STR_ARG(j->name),
				               STR_ARG(repo.name));
	}
	if (api->flow->jobs->n_errors) { /* a job that cannot be read may be the one that needs it */
		*e = *api->flow->jobs->errors[0];
		return err_hint(e, "put it right first: what jobs read and write must be known before a repo ends");
	}
	if (db_begin(s->db, e))
		return -1;
	if (repo_end(s, &repo, e)) {
		db_rollback(s->db);
		return -1;
	}
	if (db_commit(s->db, e))
		return -1;
	if (datastore_remove(s, name, e))
		return -1;
	sink_note(out, "%.*s has ended; its commits stay in the store", STR_ARG(name));
	return 0;
}

static int add_remove(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	return add_edit(ptr, EDIT_REMOVE, path, NULL, e);
}

static int rm_one(struct api *api, const struct args *args, struct str text, struct put_target *t, struct edits *ed,
                  struct err *e)
{
	struct pin pin;
	struct entry entry;
	struct str path;
	int rc;

	if (pin_resolve(api->store, api->arena, text, &pin, e) || release_output(api, &pin.repo, e) ||
	    refuse_output(&pin.repo, e))
		return -1;
	if (t->repo.n && (!str_eq(t->repo, pin.repo.name) || !str_eq(t->branch, pin.branch)))
		return err_set(e, ERR_BAD_REQUEST, "one rm is one commit of one repo and branch");
	if (!pin.branch.n)
		return err_set(e, ERR_BAD_REQUEST, "'%.*s' names a commit, which never changes", STR_ARG(text));
	t->repo = pin.repo.name;
	t->branch = pin.branch;
	path = arena_strf(api->arena, "%.*s%.*s", STR_ARG(t->prefix), STR_ARG(pin.path));
	if (path.n && path.p[path.n - 1] == '/')
		path.n--;
	if (!path.n && !str_has_suffix(text, STR(":/"))) {
		err_set(e, ERR_BAD_REQUEST, "'%.*s' names no file", STR_ARG(text));
		return err_hint(e, "REPO:/PATH names one; 'leat rm --repo REPO' ends the whole repo");
	}
	rc = pin.has_commit ? tree_find(api->store, NULL, &pin.commit.tree, path, &entry, e) : 0;
	if (rc < 0)
		return -1;
	if (!rc)
		return err_set(e, ERR_NOT_FOUND, "%.*s has no /%.*s", STR_ARG(pin.repo.name), STR_ARG(path));
	if (entry.kind == ENTRY_FOLDER && !args_flag(args, "recursive")) {
		err_set(e, ERR_BAD_REQUEST, "/%.*s is a folder of %lld file%s", STR_ARG(path), (long long)entry.files,
		        entry.files == 1 ? "" : "s");
		return err_hint(e, "-r deletes folders");
	}
	/* the root itself stays: what is in it goes */
	return path.n ? add_edit(ed, EDIT_REMOVE, path, NULL, e)
	              : tree_list(api->store, NULL, &entry.id, STR_NULL, add_remove, ed, e);
}

int api_rm(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct put_target t = {0};
	struct edits ed = {.arena = api->arena};
	struct ingest *in;
	struct commit commit;
	bool made;
	int rc;

	if (args_flag(args, "repo")) {
		for (size_t i = 0; i < args_n(args); i++)
			if (end_repo(api, args_pos(args, i), out, e))
				return -1;
		return 0;
	}
	if (rows_ds_prefix(args, &t.prefix, e))
		return -1;
	for (size_t i = 0; i < args_n(args); i++)
		if (rm_one(api, args, args_pos(args, i), &t, &ed, e))
			return -1;
	in = ingest_new(api->store);
	rc = record(api, in, &t, &ed, args, "rm", &commit, &made, e);
	ingest_free(in);
	if (rc)
		return -1;
	return sink_row(out, row_commit(api->arena, t.repo, t.branch, &commit), e);
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
	struct str rev;
	struct adopted *list;
	size_t n;
	bool some = false;

	if (args_n(args) && pin_parse(args_pos(args, 0), &o.repo, &rev, &o.path, e))
		return -1;
	struct err broken = ERR_INIT; /* jobs that cannot stand together: all outputs stay what they are */
	if (!api_open(api, OP_W | OP_J | OP_R, &broken) && owner_release(api->flow, e))
		return -1;
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
		sink_note(out, o.restore ? "nothing to restore" : "nothing to commit");
	return 0;
}
