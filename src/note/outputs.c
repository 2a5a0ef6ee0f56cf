#include "note/outputs.h"

#include <fcntl.h>

#include "base/str.h"
#include "note/outputs_beside.h"
#include "sys/file.h"

/* What a cell shows; it can be shown anew, any number of times, so what it held before goes at once. */
struct shown {
	struct dom *out;
	struct arena *content; /* of all below it; NULL: it was cleared */
	struct str id;         /* display_id; STR_NULL */
	size_t number;
};

struct piece {
	struct shown *shown; /* NULL: of a stream */
	bool err;
	struct buf text;
};

struct stream {
	size_t kept;     /* bytes of it in the notebook */
	int64_t all;
	int fd;          /* of the file beside; -1 */
	const char *name;
};

struct outputs {
	struct arena *a;
	const char *dir, *base;
	size_t number;
	VEC(struct piece) list;
	VEC(struct shown *) named, all;
	struct stream streams[2];
	size_t stream_max;
	struct beside beside;
	bool clear_next;
};

static const char *const stream_names[] = {"stdout", "stderr"};

struct outputs *outputs_new(struct arena *a, const char *dir, const char *base, size_t limit)
{
	struct outputs *o = arena_new_of(a, struct outputs);

	*o = (struct outputs){.a = a, .dir = dir, .base = base};
	o->beside = (struct beside){.dir = dir, .base = base, .limit = limit ? limit : OUTPUT_LIMIT};
	o->stream_max = o->beside.limit / 2;
	return o;
}

void outputs_begin(struct outputs *o, size_t number)
{
	o->number = o->beside.cell = number;
	o->beside.texts = o->beside.images = o->beside.files = 0;
	o->clear_next = false;
	o->list.n = 0;
	for (int i = 0; i < 2; i++)
		o->streams[i] = (struct stream){.fd = -1};
}

static void drop_all(struct outputs *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->list.n; i++) {
		struct shown *s = o->list.p[i].shown;

		buf_free(&o->list.p[i].text);
		if (s) {
			arena_free(s->content);
			s->content = NULL;
		}
	}
	o->list.n = 0;
	for (size_t i = 0; i < o->named.n; i++)
		if (o->named.p[i]->content)
			o->named.p[n++] = o->named.p[i];
	o->named.n = n;
	for (int i = 0; i < 2; i++)
		o->streams[i].kept = 0;
	o->beside.texts = o->beside.images = o->beside.files = 0;
}

void outputs_clear(struct outputs *o, bool wait)
{
	o->clear_next = wait;
	if (!wait)
		drop_all(o);
}

static void before_any(struct outputs *o)
{
	if (o->clear_next)
		drop_all(o);
	o->clear_next = false;
}

/* --- the file beside --- */

static void write_beside(struct stream *s, struct str text)
{
	struct err e = ERR_INIT;

	if (s->fd < 0 || s->all > OUTPUT_FILE_MAX)
		return;
	if (fd_write_all(s->fd, text.p, text.n, s->name, &e)) { /* no room: the notebook goes on without it */
		err_clear(&e);
		fd_close(&s->fd);
		s->name = NULL;
	}
}

/* It is more than the notebook takes: what it has until now goes first. */
static void open_beside(struct outputs *o, int which)
{
	struct stream *s = &o->streams[which];
	struct err e = ERR_INIT;

	s->name = arena_printf(o->a, "%s.cell-%zu.%s.txt", o->base, o->number, stream_names[which]);
	if (file_open_write(path_join(o->a, o->dir, s->name), O_TRUNC, 0644, &s->fd, &e)) {
		err_clear(&e);
		s->name = NULL;
		return;
	}
	for (size_t i = 0; i < o->list.n; i++)
		if (!o->list.p[i].shown && o->list.p[i].err == (which == 1))
			write_beside(s, buf_str(&o->list.p[i].text));
}

void outputs_stream(struct outputs *o, bool err, struct str text)
{
	struct stream *s = &o->streams[err];
	struct piece *last;
	size_t room;

	if (!text.n)
		return;
	before_any(o);
	s->all += (int64_t)text.n;
	room = o->stream_max - s->kept;
	if (text.n > room && !s->name)
		open_beside(o, err);
	write_beside(s, text);
	text = str_sub(text, 0, room);
	if (!text.n)
		return;
	last = o->list.n ? &o->list.p[o->list.n - 1] : NULL;
	if (!last || last->shown || last->err != err) {
		struct piece p = {.err = err};

		buf_init(&p.text, NOTEBOOK_BYTES_MAX);
		vec_push(o->a, &o->list, p);
		last = &o->list.p[o->list.n - 1];
	}
	buf_addstr(&last->text, text);
	s->kept += text.n;
}

/* --- outputs that are no text --- */

/* With all its strings: what it is made of may not outlive the call. */
static struct dom *own_copy(struct arena *a, const struct dom *from)
{
	struct dom *n = from->type == DOM_STR ? dom_new_str(a, from->s) : dom_new(a, from->type);

	if (from->type == DOM_LIST || from->type == DOM_MAP) {
		dom_each(c, from) {
			struct dom *child = own_copy(a, c);

			child->key = c->key.p ? arena_str(a, c->key) : STR_NULL;
			dom_add(n, child);
		}
	} else if (from->type != DOM_STR) {
		*n = *from;
		n->raw = STR_NULL;
		n->next = NULL;
	}
	return n;
}

/* It becomes what `base` holds, with the data and metadata of `from`. Either may be what it is now. */
static void show(struct outputs *o, struct shown *s, const struct dom *base, const struct dom *from)
{
	struct arena *a = arena_new(), *turn = arena_new();
	struct dom *m = dom_new(a, DOM_MAP);

	from = beside_fit(turn, &o->beside, from);
	if (base != s->out)
		base = from;
	dom_each(c, base) {
		bool moves = str_is(c->key, "data") || str_is(c->key, "metadata");
		const struct dom *v = moves ? dom_get(from, arena_cstr(a, c->key)) : NULL;

		dom_set(a, m, arena_cstr(a, c->key), own_copy(a, v ? v : c));
	}
	s->out->first = m->first;
	s->out->last = m->last;
	s->out->n = m->n;
	arena_free(s->content);
	arena_free(turn);
	s->content = a;
}

static struct dom *map_or_new(struct arena *a, const struct dom *m)
{
	return m && m->type == DOM_MAP ? dom_copy(a, m) : dom_new(a, DOM_MAP);
}

struct dom *outputs_one(struct arena *a, const struct dom *data, const struct dom *meta, const int64_t *count)
{
	struct dom *o = dom_new(a, DOM_MAP);

	dom_set_cstr(a, o, "output_type", count ? "execute_result" : "display_data");
	dom_set(a, o, "data", map_or_new(a, data));
	dom_set(a, o, "metadata", map_or_new(a, meta));
	if (count)
		dom_set_int(a, o, "execution_count", *count);
	return o;
}

void outputs_add(struct outputs *o, const struct dom *out, struct str id)
{
	struct shown *s = arena_new_of(o->a, struct shown);
	struct piece p = {.shown = s};

	*s = (struct shown){.out = dom_new(o->a, DOM_MAP), .number = o->number};
	before_any(o);
	show(o, s, out, out);
	vec_push(o->a, &o->list, p);
	vec_push(o->a, &o->all, s);
	if (id.n) {
		s->id = arena_str(o->a, id);
		vec_push(o->a, &o->named, s);
	}
}

bool outputs_update(struct outputs *o, const struct dom *out, struct str id)
{
	bool before = false;

	for (size_t i = 0; i < o->named.n; i++) {
		struct shown *s = o->named.p[i];

		if (!str_eq(s->id, id))
			continue;
		show(o, s, s->out, out);
		before |= s->number != o->number;
	}
	return before;
}

void outputs_free(struct outputs *o)
{
	if (!o)
		return;
	drop_all(o);
	for (size_t i = 0; i < o->all.n; i++)
		arena_free(o->all.p[i]->content);
}

static struct dom *stream_of(struct arena *a, const struct piece *p)
{
	struct dom *d = dom_new(a, DOM_MAP);

	dom_set_cstr(a, d, "output_type", "stream");
	dom_set_cstr(a, d, "name", stream_names[p->err]);
	dom_set_str(a, d, "text", buf_str(&p->text));
	return d;
}

static struct dom *link_to(const struct outputs *o, const struct stream *s, const char *stream)
{
	struct arena *a = o->a;
	struct dom *d = dom_new(a, DOM_MAP), *data = dom_new(a, DOM_MAP);
	const char *all = beside_size(a, (size_t)s->all), *part = "all of it";

	if (s->all > OUTPUT_FILE_MAX)
		part = arena_printf(a, "the first %s", beside_size(a, (size_t)OUTPUT_FILE_MAX));
	if (s->name) {
		dom_set_str(a, data, "text/html",
		            arena_strf(a, "<p>The first %zu KB of %s; %s: <a href=\"%s\">%s</a></p>",
		                       o->stream_max >> 10, all, part, s->name, s->name));
		dom_set_str(a, data, "text/plain",
		            arena_strf(a, "the first %zu KB of %s; %s: %s", o->stream_max >> 10, all, part, s->name));
	} else {
		dom_set_str(a, data, "text/plain",
		            arena_strf(a, "the first %zu KB of %s of %s; for the rest there was no room",
		                       o->stream_max >> 10, all, stream));
	}
	dom_set_cstr(a, d, "output_type", "display_data");
	dom_set(a, d, "data", data);
	dom_set(a, d, "metadata", dom_new(a, DOM_MAP));
	return d;
}

void outputs_end(struct outputs *o, struct dom *list)
{
	for (size_t i = 0; i < o->list.n; i++) {
		struct piece *p = &o->list.p[i];

		dom_add(list, p->shown ? p->shown->out : stream_of(o->a, p));
		buf_free(&p->text);
	}
	for (int i = 0; i < 2; i++) {
		struct stream *s = &o->streams[i];

		if (s->all > (int64_t)s->kept && (s->name || s->kept == o->stream_max))
			dom_add(list, link_to(o, s, stream_names[i]));
		fd_close(&s->fd);
	}
	o->list.n = 0;
}
