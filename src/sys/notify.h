/*
 * sys/notify.h: which files below some folders were written, moved or deleted (inotify). Folders that come later are
 * seen too; what was in them before they were is told as written.
 */
#ifndef LEAT_SYS_NOTIFY_H
#define LEAT_SYS_NOTIFY_H

#include "base/err.h"

#define NOTIFY_MAX 8192 /* folders; what is in others is not seen */

struct notify;

/* What is told of a folder before it is looked at; false: neither it nor what is below it is. */
typedef bool notify_wants(void *ptr, const char *path);
/* A file was written, or came, or went; path "": so much happened that some of it was lost. */
typedef void notify_told(void *ptr, const char *path);

/* Paths that are told begin with `root`, which is not told of itself: they are relative to it. */
must_check int notify_new(const char *root, notify_wants *wants, void *ptr, struct notify **out, struct err *e);
void notify_free(struct notify *n); /* NULL is fine */
/* A folder by its path from the root ("": the root's own files only), and unless it is the root all below it. */
must_check int notify_add(struct notify *n, const char *path, struct err *e);
int notify_fd(const struct notify *n); /* readable when there is something to read */
/* All that is there; does not wait. */
must_check int notify_read(struct notify *n, notify_told *told, void *ptr, struct err *e);
size_t notify_left_out(const struct notify *n); /* folders that were too many */

#endif
