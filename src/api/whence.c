/* From bytes found anywhere to what made them (flow/whence.h). */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/rows.h"
#include "api/whence.h"
#include "base/str.h"
#include "flow/whence.h"
#include "sys/file.h"

#define STDIN_MAX  ((size_t)256 << 20) /* of standard input; a file may be of any size */
#define READ_BLOCK ((size_t)256 << 10)

static int not_a_file(const char *path, const struct stat *st, struct err *e)
{
	if (S_ISDIR(st->st_mode)) {
		err_set(e, ERR_BAD_REQUEST, "%s is a folder, and whence looks at files", path);
		return err_hint(e, "leat whence %s/*", path);
	}
	err_set(e, ERR_BAD_REQUEST, "%s is a pipe or a device, and no file", path);
	return err_hint(e, "leat whence - < %s", path);
}

/* The file as it was found: its hash, and for what is not too large its bytes. */
static int look(struct arena *a, struct found_file *f, struct err *e)
{
	struct stat st;
	uint64_t size;
	int rc;

	f->fd = -1;
	if (str_is(f->name, "-")) {
		if (file_read_fd(a, STDIN_FILENO, "standard input", STDIN_MAX, &f->bytes, e)) {
			if (e->code == ERR_LIMIT)
				err_hint(e, "write it to a file first: leat whence FILE");
			return -1;
		}
		f->size = (int64_t)f->bytes.n;
		f->sha = sha_of(f->bytes.p, f->bytes.n);
	} else {
		f->path = arena_cstr(a, f->name);
		if (file_open_plain(f->path, &f->fd, &st, e))
			return -1;
		rc = S_ISREG(st.st_mode) ? fd_sha(f->fd, &f->sha, &size, f->path, e) : not_a_file(f->path, &st, e);
		if (rc)
			return -1;
		f->size = (int64_t)size;
	}
	if (!f->size)
		return err_set(e, ERR_BAD_REQUEST, "%s is empty, and all empty files are alike",
		               f->path ? f->path : "standard input");
	return 0;
}

/* Its other forms, if it is a text: one more pass, for what is not known as it is. */
static int forms(const struct found_file *f, struct whence_ask *ask, struct err *e)
{
	struct forms *all = forms_new();
	char *block = NULL;
	size_t got = 0;
	int rc = 0;

	if (f->bytes.p) {
		forms_add(all, f->bytes.p, f->bytes.n);
	} else {
		block = xmalloc(READ_BLOCK);
		for (off_t at = 0; !rc; at += (off_t)got) {
			rc = fd_pread_full(f->fd, block, READ_BLOCK, at, &got, f->path, e);
			if (rc || !got || (!at && memchr(block, 0, got)))
				break;
			forms_add(all, block, got);
			if (got < READ_BLOCK)
				break;
		}
		if (!rc && got && memchr(block, 0, got)) /* no text: what was added tells nothing */
			forms_add(all, "", 1);
		free(block);
	}
	if (rc)
		forms_free(all);
	else
		ask->n_forms = forms_end(all, ask->forms, &ask->was);
	return rc;
}

static int one(struct api *api, struct catalog *c, struct str name, struct sink *out, struct err *e)
{
	struct arena *a = api->arena;
	struct found_file f = {.name = name};
	struct whence_ask ask = {0};
	struct dom *doc = NULL, *row = dom_new(a, DOM_MAP);
	int rc = look(a, &f, e);

	if (!rc) {
		ask.sha = f.sha;
		ask.size = f.size;
		struct str head, tail;
		ask.name = str_is(name, "-") ? STR("standard input") : str_rcut(name, '/', &head, &tail) ? tail : name;
		rc = whence_tell(api->flow, c, a, &ask, &doc, e);
	}
	if (!rc && doc)
		rc = forms(&f, &ask, e) ? -1 : ask.n_forms ? whence_tell(api->flow, c, a, &ask, &doc, e) : 0;
	if (!rc && doc)
		rc = whence_near(api, c, &f, &ask, &doc, e);
	if (f.fd >= 0)
		close(f.fd);
	if (rc < 0)
		return -1;
	dom_set_str(a, row, "file", str_is(name, "-") ? ask.name : name);
	dom_set_int(a, row, "size", f.size);
	row_sha(a, row, "sha256", &f.sha);
	dom_set_bool(a, row, "known", rc > 0);
	for (struct dom *v = doc->first, *next; v; v = next) {
		next = v->next;
		v->next = NULL;
		dom_set(a, row, arena_cstr(a, v->key), v);
	}
	if (!rc)
		api->exit_status = 1;
	return sink_row(out, row, e);
}

int api_whence(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	struct catalog *c;

	if (catalog_new(api->store, api->arena, &c, e))
		return -1;
	for (size_t i = 0; i < args_n(args); i++)
		if (one(api, c, args_pos(args, i), out, e))
			return -1;
	return 0;
}
