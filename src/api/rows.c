#include "api/rows.h"

#include "base/ds.h"
#include "base/str.h"
#include "base/tz.h"

void row_time(struct arena *a, struct dom *row, const char *key, int64_t ms)
{
	char text[TIME_TEXT];

	if (!ms) {
		dom_set(a, row, key, dom_new(a, DOM_NULL));
		return;
	}
	time_rfc3339(ms, text);
	dom_set_cstr(a, row, key, text);
}

void row_sha(struct arena *a, struct dom *row, const char *key, const struct sha *id)
{
	char hex[SHA_HEX + 1];

	sha_hex(id, hex);
	dom_set_cstr(a, row, key, hex);
}

void row_facts(struct arena *a, struct dom *row, struct str json)
{
	static const char *const shown[] = {"page", "metrics", "python"};
	struct err e = ERR_INIT;
	struct dom *d;

	if (!json.n || dom_json(a, json, "facts", &d, &e))
		return;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		if (dom_get(d, shown[i]))
			dom_set(a, row, shown[i], dom_copy(a, dom_get(d, shown[i])));
}

static void set_id(struct arena *a, struct dom *row, const char *key, const struct id *id)
{
	dom_set_str(a, row, key, id->hex[0] ? str_of(id->hex) : STR_NULL);
}

/* A JSON map of texts, as --meta made it. */
static void set_meta(struct arena *a, struct dom *row, struct str json)
{
	struct err broken = ERR_INIT;
	struct dom *meta;

	if (json.n && !dom_json(a, json, "meta", &meta, &broken))
		dom_set(a, row, "meta", meta);
}

struct dom *row_commit(struct arena *a, struct str repo, struct str branch, const struct commit *c)
{
	struct dom *row = dom_new(a, DOM_MAP);

	dom_set_str(a, row, "repo", repo);
	dom_set_str(a, row, "branch", branch);
	set_id(a, row, "commit", &c->id);
	set_id(a, row, "global_id", &c->id);
	dom_set_int(a, row, "number", c->number);
	set_id(a, row, "parent", &c->parent);
	dom_set_int(a, row, "files", c->files);
	dom_set_int(a, row, "size", c->bytes);
	row_time(a, row, "at", c->at);
	set_id(a, row, "batch", &c->batch);
	dom_set_str(a, row, "author", c->author);
	dom_set_str(a, row, "message", c->message);
	set_meta(a, row, c->meta);
	set_id(a, row, "run", &c->run);
	if (c->forgotten)
		row_time(a, row, "forgotten", c->forgotten);
	return row;
}

struct dom *row_entry(struct arena *a, struct str repo, const struct commit *c, struct str path, const struct entry *en)
{
	struct dom *row = dom_new(a, DOM_MAP);
	bool folder = en->kind == ENTRY_FOLDER;

	dom_set_str(a, row, "repo", repo);
	set_id(a, row, "commit", &c->id);
	dom_set_str(a, row, "path", arena_strf(a, "/%.*s", STR_ARG(path)));
	dom_set_cstr(a, row, "type", folder ? "folder" : "file");
	dom_set_int(a, row, "size", en->size);
	if (folder) {
		dom_set_int(a, row, "files", en->files);
		row_sha(a, row, "tree", &en->id);
	} else {
		row_sha(a, row, "sha256", &en->id);
	}
	return row;
}

int rows_entry(struct sink *out, struct arena *a, const struct sink_entry *en, struct err *e)
{
	if (out->entry)
		return out->entry(out->ptr, en, e);
	return sink_row(out, row_entry(a, en->repo, en->commit, en->path, en->entry), e);
}

void row_err(struct arena *a, struct dom *row, const struct err *e)
{
	struct dom *m = dom_new(a, DOM_MAP);

	dom_set_cstr(a, m, "code", err_word(e->code));
	dom_set_cstr(a, m, "message", e->msg);
	if (e->file[0])
		dom_set_cstr(a, m, "file", e->file);
	if (e->line) {
		dom_set_int(a, m, "line", e->line);
		dom_set_int(a, m, "col", e->col);
	}
	if (e->hint[0])
		dom_set_cstr(a, m, "hint", e->hint);
	dom_set(a, row, "error", m);
}

void rows_markdown_cell(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|' || s.p[i] == '\\')
			buf_addc(b, '\\');
		if (s.p[i] == '\n')
			buf_adds(b, "<br>");
		else if (s.p[i] != '\r')
			buf_addc(b, s.p[i]);
	}
}

int rows_ds_prefix(const struct args *args, struct str *prefix, struct err *e)
{
	struct str label = args_value(args, "ds");
	struct ds ds;

	if (!label.p) {
		*prefix = STR("");
		return 0;
	}
	if (str_has_prefix(label, STR("ds="))) /* as the folder is called */
		label = str_sub(label, 3, label.n);
	if (ds_parse(label, &ds, e))
		return -1;
	*prefix = arena_strf(args->arena, "ds=%s/", ds.label);
	return 0;
}
