#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sys/clock.h"
#include "sys/term.h"

#define BAR_WIDTH 24
#define MANY 12        /* more units than this get a bar instead of a line each */
#define REDRAW_MS 80
#define STEP_AFTER_MS 700 /* a step that is over sooner shows nothing */

#define ALIKE_MAX 20   /* failures that others are compared with */

/* A failure that was printed, and how many came after it that were like it. */
struct alike {
	const struct job *job;
	struct err err;
	char ds[sizeof(((struct ds *)0)->label)], first[sizeof(((struct ds *)0)->label)],
		last[sizeof(((struct ds *)0)->label)];
	bool days;
	size_t more;
};

/*
 * On a terminal one line at the bottom is redrawn (what runs, how far), above it what failed or was said; with few
 * units also a line for each that ended. Elsewhere plain lines, nothing redrawn.
 */
struct progress {
	bool tty, quiet, drawn;
	int64_t last_ms, first_ms;
	struct arena *a;
	VEC(struct alike *) alike;
};

struct progress *progress_new(struct arena *a, bool quiet)
{
	struct progress *p = arena_new_of(a, struct progress);

	p->a = a;
	p->tty = term_is_tty(STDERR_FILENO);
	p->quiet = quiet;
	p->first_ms = clock_mono_ms();
	return p;
}

void progress_clear(struct progress *p)
{
	if (p && p->drawn)
		fputs("\r\033[K", stderr);
	if (p)
		p->drawn = false;
}

static void bar(struct progress *p, double part, const char *text)
{
	int full = (int)(part * BAR_WIDTH + 0.5);
	int room = (int)term_columns(STDERR_FILENO) - BAR_WIDTH - 10;

	fputs("\r\033[K[", stderr);
	for (int i = 0; i < BAR_WIDTH; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %3.0f %% %.*s", part * 100, MAX(room, 0), text);
	fflush(stderr);
	p->drawn = true;
}

static const char *ds_text(const struct run_event *ev)
{
	return ev->label ? ev->label : ev->ds && ev->ds->label[0] ? ev->ds->label : "";
}

static void unit_line(const struct run_event *ev, enum style style, const char *word)
{
	fprintf(stderr, "%s%-7s%s %s%s%s", style_on(stderr, style), word, style_off(stderr),
	        ev->job ? ev->job->name.p : "", *ds_text(ev) ? " " : "", ds_text(ev));
	if (ev->ms > 0)
		fprintf(stderr, "  %s%.*f s%s", style_on(stderr, STYLE_DIM), ev->ms < 10000 ? 2 : 0,
		        (double)ev->ms / 1e3, style_off(stderr));
	if (ev->text && *ev->text)
		fprintf(stderr, "  %s", ev->text);
	fputc('\n', stderr);
}

static void failure(const struct run_event *ev)
{
	struct run_event bare = {.job = ev->job, .ds = ev->ds, .label = ev->label, .ms = ev->ms};

	unit_line(&bare, STYLE_RED, "failed");
	if (ev->err)
		print_err(ev->err);
	else if (ev->text)
		fprintf(stderr, "      %s\n", ev->text);
}

/* The same check at the same place, whatever it found, or the same sentence. */
static bool is_alike(const struct alike *k, const struct run_event *ev)
{
	const struct err *e = ev->err;

	if (k->job != ev->job || k->err.code != e->code || k->err.line != e->line || k->err.col != e->col ||
	    strcmp(k->err.file, e->file) != 0)
		return false;
	return (e->code == ERR_CHECK_FAILED && e->line) ||
	       (!strcmp(k->err.msg, e->msg) && !strcmp(k->err.hint, e->hint));
}

/* Ten days on which one check failed are told once; false: this one is to be printed. */
static bool counted(struct progress *p, const struct run_event *ev)
{
	struct alike *k = NULL;

	if (!ev->err || !ev->job || ev->label || !*ds_text(ev))
		return false;
	for (size_t i = 0; i < p->alike.n && !k; i++)
		if (is_alike(p->alike.p[i], ev))
			k = p->alike.p[i];
	if (k) {
		if (!k->more || strcmp(ds_text(ev), k->first) < 0)
			memcpy(k->first, ev->ds->label, sizeof(k->first));
		if (!k->more++ || strcmp(ds_text(ev), k->last) > 0)
			memcpy(k->last, ev->ds->label, sizeof(k->last));
		return true;
	}
	if (p->alike.n == ALIKE_MAX)
		return false;
	k = arena_new_of(p->a, struct alike);
	k->job = ev->job;
	k->err = *ev->err;
	k->days = ev->ds->every == EVERY_DAY;
	memcpy(k->ds, ev->ds->label, sizeof(k->ds));
	vec_push(p->a, &p->alike, k);
	return false;
}

void progress_end(struct progress *p)
{
	progress_clear(p);
	for (size_t i = 0; p && i < p->alike.n; i++) {
		const struct alike *k = p->alike.p[i];

		if (!k->more)
			continue;
		fprintf(stderr, "%sfailed %s %s on %zu more %s%s, as on %s: %s%s%s\n", style_on(stderr, STYLE_RED),
		        style_off(stderr), k->job->name.p, k->more, k->days ? "day" : "partition",
		        k->more == 1 ? "" : "s", k->ds, k->first, k->more == 1 ? "" : "..",
		        k->more == 1 ? "" : k->last);
	}
	if (p)
		p->alike.n = 0;
}

void progress_event(struct progress *p, const struct run_event *ev)
{
	static const struct {
		const char *word;
		enum style style;
		bool always; /* also with many units, and with --quiet */
	} lines[] = {
		[RUN_UNIT_DONE] = {"done", STYLE_GREEN, false},
		[RUN_UNIT_KNOWN] = {"known", STYLE_DIM, false},
		[RUN_UNIT_RETRY] = {"retry", STYLE_YELLOW, true},
		[RUN_UNIT_SKIPPED] = {"skipped", STYLE_DIM, false},
		[RUN_UNIT_WAITS] = {"waits", STYLE_DIM, false},
		[RUN_NOT_PUBLISHED] = {"held", STYLE_YELLOW, true},
		[RUN_NOTE] = {"note", STYLE_DIM, true},
		[RUN_PUBLISHED] = {NULL, STYLE_PLAIN, false},
		[RUN_UNIT_STARTED] = {NULL, STYLE_PLAIN, false},
		[RUN_UNIT_FAILED] = {NULL, STYLE_PLAIN, false},
	};
	bool many = ev->total > MANY;
	int64_t now = clock_mono_ms();

	if (ev->kind == RUN_UNIT_FAILED) {
		if (!counted(p, ev)) {
			progress_clear(p);
			failure(ev);
		}
	} else if (lines[ev->kind].word && (lines[ev->kind].always || (!p->quiet && !many))) {
		progress_clear(p);
		unit_line(ev, lines[ev->kind].style, lines[ev->kind].word);
	}
	if (p->quiet || !p->tty || !ev->total)
		return;
	if (now - p->last_ms >= REDRAW_MS || ev->done == ev->total) {
		char text[200];

		p->last_ms = now;
		snprintf(text, sizeof(text), "%zu of %zu, %zu running: %s %s", ev->done, ev->total, ev->running,
		         ev->job ? ev->job->name.p : "", ds_text(ev));
		bar(p, (double)ev->done / (double)ev->total, text);
	}
}

void progress_step(struct progress *p, const char *text, double part)
{
	int64_t now = clock_mono_ms();

	if (!text) {
		progress_clear(p);
		return;
	}
	if (!p->tty || p->quiet || now - p->first_ms < STEP_AFTER_MS || now - p->last_ms < REDRAW_MS)
		return;
	p->last_ms = now;
	bar(p, part, text);
}
