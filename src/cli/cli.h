/*
 * cli/cli.h: the command line: words to a request, a result to text. The only room, beside web/ and daemon/, that
 * speaks.
 */
#ifndef LEAT_CLI_CLI_H
#define LEAT_CLI_CLI_H

#include <stdio.h>

#include "api/api.h"

/* The whole program as a command: returns the exit status. */
int cli_main(int argc, char **argv, const struct job_kind *const *kinds);

/* help.c */
void help_all(FILE *f, bool every, const char *workspace_commands);
void help_op(FILE *f, const struct op *op);

/* complete.c: the hidden `leat __complete WORD…`, and `__describe` with a text beside each word */
int complete_words(struct api *api, bool describe, int argc, char **argv);

/* complete_script.c: `leat completion SHELL`, which calls them. NULL: none for that shell */
const char *complete_script(struct str shell);

/* reference.c: pages of docs/reference, printed as Markdown; name NULL lists them */
int reference_page(const char *name, const struct job_kind *const *kinds);

/* man.c: pages of the manual, in man(7): leat, leat-put, ...; name NULL lists them */
int man_page(const char *name);

/* extern.c: leat-NAME on PATH or in the workspace's commands/ */
struct str_list {
	VEC(struct str) v;
};
void extern_list(struct arena *a, const char *workspace, struct str_list *out);
/* Replaces this process; returns only if there is no such program. */
void extern_exec(struct arena *a, const char *workspace, const char *name, char **argv);

/* style.c: colour on terminals only */
enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_BLUE };
void style_init(void);
const char *style_on(FILE *f, enum style s);  /* "" where there is no colour */
const char *style_off(FILE *f);
void print_err(const struct err *e);

/* show.c: how rows look to people. One per operation; NULL: the columns of SHOW. */
struct shower;
struct shower *shower_new(struct arena *a, const struct args *args, const char *workspace_dir);
must_check int shower_row(struct shower *s, const struct dom *row, struct err *e);
must_check int shower_end(struct shower *s, bool failed, struct err *e);
must_check int shower_head(struct shower *s, const struct dom *columns, struct err *e);

/* show_data.c: a file of a listing as a line, into *b. Lists are long: what is the same for each is looked up once. */
struct show_file {
	bool size;            /* and hash in front */
	bool repo;            /* in front of the path */
	const char *on, *off; /* around a folder */
};
void show_file(struct buf *b, const struct show_file *how, const struct sink_entry *en);

/* progress.c: units of a run, and long single steps, on a terminal; plain lines otherwise */
struct progress;
struct progress *progress_new(struct arena *a, bool quiet);
void progress_event(struct progress *p, const struct run_event *ev);
void progress_step(struct progress *p, const char *text, double part);
void progress_clear(struct progress *p); /* before anything else is printed */
/* Also tells of failures that were like one that was printed; before a result, and at the end. */
void progress_end(struct progress *p);

#endif
