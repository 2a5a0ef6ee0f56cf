#include "flow/sqlcache.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/map.h"
#include "base/str.h"
#include "sys/file.h"

#define BATCH_BYTES ((size_t)8 << 20) /* of texts in one request */
#define BATCH_TEXTS 5000
#define SUM_HEX 16

struct sqlcache {
	struct arena *arena;
	const char *leat_dir; /* a clone that has none is not given one */
	const char *path;
	bool read, begin_anew;
	struct sha library;
	struct map known; /* hash in hex → struct item */
};

struct item {
	struct str json;
	const struct dom *parsed;
};

struct sqlcache *sqlcache_new(struct arena *a, const char *leat_dir)
{
	struct sqlcache *c = arena_new_of(a, struct sqlcache);

	c->arena = a;
	c->leat_dir = arena_printf(a, "%s", leat_dir);
	c->path = arena_printf(a, "%s/cache/sql", leat_dir);
	map_init(&c->known, a);
	return c;
}

/* Texts are told apart by what this program and its parser would make of them too. */
static struct str text_key(struct sqlcache *c, struct str text)
{
	struct sha_ctx ctx;
	struct sha id;
	char *hex = arena_alloc(c->arena, SHA_HEX + 1);

	sha_init(&ctx);
	sha_field(&ctx, STR("sql 2 " LEAT_VERSION));
	sha_add(&ctx, &c->library, sizeof(c->library));
	sha_field(&ctx, text);
	id = sha_end(&ctx);
	sha_hex(&id, hex);
	return (struct str){hex, SHA_HEX};
}

static void sum_hex(struct str json, char out[SHA_HEX + 1])
{
	struct sha id = sha_of(json.p, json.n);

	sha_hex(&id, out);
	out[SUM_HEX] = '\0';
}

/* "<hash> <sum of the rest> <json>" */
static void read_line(struct sqlcache *c, struct str line)
{
	struct str hash, sum, json;
	char want[SHA_HEX + 1];
	struct item *it;

	if (!str_cut(line, ' ', &hash, &json) || !str_cut(json, ' ', &sum, &json) || hash.n != SHA_HEX)
		return;
	sum_hex(json, want);
	if (!str_is(sum, want))
		return;
	it = arena_new_of(c->arena, struct item);
	it->json = json;
	map_set(&c->known, hash, it);
}

static void read_file(struct sqlcache *c)
{
	struct str text, line;
	struct err why = ERR_INIT;

	if (c->read)
		return;
	c->read = true;
	c->library = duck_library_id();
	if (file_read(c->arena, c->path, SQLCACHE_MAX, &text, &why)) {
		c->begin_anew = why.code == ERR_LIMIT;
		return;
	}
	while (str_next_line(&text, &line))
		read_line(c, line);
}

static const struct dom *look_up(struct sqlcache *c, struct str key)
{
	struct item *it = map_get(&c->known, key);
	struct dom *parsed;
	struct err why = ERR_INIT;

	if (it && !it->parsed && !dom_json(c->arena, it->json, "cache", &parsed, &why))
		it->parsed = parsed;
	return it ? it->parsed : NULL;
}

/*
 * Adds lines in one write; the newline before each ends a line that a crash has torn. Failing costs time, nothing else.
 */
static void write_lines(struct sqlcache *c, struct buf *lines)
{
	struct err why = ERR_INIT;
	int fd FD_CLEANUP = -1;

	if (buf_over(lines) || !dir_exists(c->leat_dir) || dir_make_parent(c->path, 0777, &why))
		return;
	if (file_open_write(c->path, c->begin_anew ? O_TRUNC : O_APPEND, 0666, &fd, &why) ||
	    fd_write_all(fd, lines->p, lines->n, c->path, &why))
		return;
	c->begin_anew = false;
}

static void remember(struct sqlcache *c, struct str key, const struct dom *parsed, struct buf *lines)
{
	struct buf json cleanup(buf_free) = BUF_INIT(SQLCACHE_MAX);
	struct item *it = arena_new_of(c->arena, struct item);
	char sum[SHA_HEX + 1];

	it->parsed = parsed;
	map_set(&c->known, key, it);
	dom_write_json(&json, parsed, DOM_COMPACT);
	sum_hex(buf_str(&json), sum);
	buf_addf(lines, "\n%.*s %s ", STR_ARG(key), sum);
	buf_addstr(lines, buf_str(&json));
	buf_addc(lines, '\n');
}

struct batch {
	VEC(struct str) texts;
	VEC(struct str) keys;
	size_t bytes;
};

static int ask(struct sqlcache *c, struct duck *duck, struct batch *b, struct err *e)
{
	struct buf lines cleanup(buf_free) = BUF_INIT(SQLCACHE_MAX);
	const struct dom *reply, *parsed;
	size_t i = 0;

	if (!b->texts.n)
		return 0;
	if (duck_call(duck, c->arena, duck_req_parse(c->arena, b->texts.p, b->texts.n), NULL, NULL, &reply, NULL, e))
		return -1;
	parsed = dom_get(reply, "parsed");
	if (!parsed || parsed->n != b->texts.n)
		return err_set(e, ERR_INTERNAL, "the parser's answer has another shape than was asked for");
	dom_each(one, parsed)
		remember(c, b->keys.p[i++], one, &lines);
	write_lines(c, &lines);
	*b = (struct batch){0};
	return 0;
}

int sqlcache_parse(struct sqlcache *c, struct duck *duck, const struct str *texts, size_t n, const struct dom **out,
                   struct err *e)
{
	struct str *keys = arena_array(c->arena, struct str, n);
	struct batch b = {0};
	struct map asked;

	read_file(c);
	map_init(&asked, c->arena);
	for (size_t i = 0; i < n; i++) {
		keys[i] = text_key(c, texts[i]);
		if (look_up(c, keys[i]) || map_has(&asked, keys[i]))
			continue;
		map_set(&asked, keys[i], c);
		vec_push(c->arena, &b.texts, texts[i]);
		vec_push(c->arena, &b.keys, keys[i]);
		b.bytes += texts[i].n;
		if ((b.bytes > BATCH_BYTES || b.texts.n == BATCH_TEXTS) && ask(c, duck, &b, e))
			return -1;
	}
	if (ask(c, duck, &b, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		out[i] = look_up(c, keys[i]);
	return 0;
}
