#include "base/forms.h"

#include <stdlib.h>

#include "base/str.h"

#define OUT ((size_t)64 << 10)

static const char mark[] = "\xef\xbb\xbf";

/* A text with one kind of line ends, hashed with and without the mark. */
struct stream {
	struct sha_ctx plain, marked;
	const char *eol;
	size_t n_eol, n;
	char out[OUT];
};

struct forms {
	struct stream lf, crlf;
	char head[3]; /* the first bytes, until it is known whether they are a mark */
	size_t n_head;
	bool begun, bom, zero, any_crlf, any_lf, cr; /* cr: the last byte was one */
	int64_t newlines;                            /* that were held back: they may be the last */
};

static void flush(struct stream *s)
{
	sha_add(&s->plain, s->out, s->n);
	sha_add(&s->marked, s->out, s->n);
	s->n = 0;
}

static void emit(struct stream *s, const char *p, size_t n)
{
	if (s->n + n > OUT)
		flush(s);
	if (n > OUT) {
		sha_add(&s->plain, p, n);
		sha_add(&s->marked, p, n);
		return;
	}
	memcpy(s->out + s->n, p, n);
	s->n += n;
}

static void start(struct stream *s, const char *eol)
{
	s->eol = eol;
	s->n_eol = strlen(eol);
	sha_init(&s->plain);
	sha_init(&s->marked);
	sha_add(&s->marked, mark, sizeof(mark) - 1);
}

struct forms *forms_new(void)
{
	struct forms *f = xcalloc(1, sizeof(*f));

	start(&f->lf, "\n");
	start(&f->crlf, "\r\n");
	return f;
}

void forms_free(struct forms *f)
{
	free(f);
}

static void both(struct forms *f, const char *p, size_t n)
{
	for (; f->newlines; f->newlines--) {
		emit(&f->lf, "\n", 1);
		emit(&f->crlf, "\r\n", 2);
	}
	emit(&f->lf, p, n);
	emit(&f->crlf, p, n);
}

/* What is no mark at the beginning. A CR counts as part of a line end only where an LF follows. */
static void text(struct forms *f, const char *p, size_t n)
{
	const char *end = p + n;

	f->zero = f->zero || memchr(p, 0, n);
	while (!f->zero && p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *to = lf ? lf : end;
		bool crlf = lf && (lf > p ? lf[-1] == '\r' : f->cr);

		if (f->cr && !(lf == p))
			both(f, "\r", 1); /* of the piece before: it stood alone */
		f->cr = !lf && to > p && to[-1] == '\r';
		if (to > p)
			to -= to[-1] == '\r' && (crlf || f->cr);
		if (to > p)
			both(f, p, (size_t)(to - p));
		if (!lf)
			break;
		f->newlines++;
		f->any_crlf |= crlf;
		f->any_lf |= !crlf;
		p = lf + 1;
	}
}

void forms_add(struct forms *f, const void *p, size_t n)
{
	const char *at = p;

	while (!f->begun && n) {
		f->head[f->n_head++] = *at++;
		n--;
		if (f->head[f->n_head - 1] != mark[f->n_head - 1]) {
			f->begun = true;
			text(f, f->head, f->n_head);
		} else if (f->n_head == 3) {
			f->begun = f->bom = true;
		}
	}
	if (n)
		text(f, at, n);
}

static void add(struct form *out, size_t *n, const struct sha_ctx *ctx, bool crlf, bool bom, int64_t newlines)
{
	struct sha_ctx c = *ctx;

	for (int64_t i = 0; i < newlines; i++)
		sha_add(&c, crlf ? "\r\n" : "\n", crlf ? 2 : 1);
	out[(*n)++] = (struct form){sha_end(&c), crlf, bom, (int)MIN(newlines, 2)};
}

size_t forms_end(struct forms *f, struct form out[FORMS_MAX], struct form *was)
{
	size_t n = 0;

	if (!f->begun && f->n_head)
		text(f, f->head, f->n_head);
	/* a CR at the very end is what is left of a CRLF whose LF was cut off */
	f->any_crlf |= f->cr;
	if (!f->zero) {
		*was = (struct form){
			.crlf = f->any_crlf && !f->any_lf, .bom = f->bom, .newlines = (int)MIN(f->newlines, 2)};
		flush(&f->lf);
		flush(&f->crlf);
		for (int k = 0; k < 4; k++) {
			const struct stream *s = k & 1 ? &f->crlf : &f->lf;
			const struct sha_ctx *c = k & 2 ? &s->marked : &s->plain;

			add(out, &n, c, k & 1, k & 2, 0);
			add(out, &n, c, k & 1, k & 2, 1);
			if (f->newlines > 1)
				add(out, &n, c, k & 1, k & 2, f->newlines);
		}
	}
	free(f);
	return n;
}

struct sha forms_plain(struct str s)
{
	struct forms *f = forms_new();
	struct form all[FORMS_MAX], was;

	forms_add(f, s.p, s.n);
	return forms_end(f, all, &was) ? all[0].id : (struct sha){0};
}
