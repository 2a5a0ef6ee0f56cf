/*
 * repo/mount.h: the store as a read-only file system (FUSE). A process of its own: `leat --role mount WORKSPACE DIR
 * [allow-other] [stay] [nodes=N]`, which serves until it is told to stop.
 *
 *   DIR/REPO/…        the head of master as it stands when the path is walked; who has opened or entered the folder
 *                     stays at that commit, so that what he reads there belongs together
 *   DIR/REPO@PIN/…    any pin; branches and tags are listed, commits and ancestors (REPO@master.31) are found by name
 *
 * Below REPO all is immutable, so the kernel keeps names, sizes and pages; REPO itself is looked up each time. A commit
 * has a reader lease while the kernel knows of anything in it. Memory: a node of some 100 bytes for each file that the
 * kernel has in its own caches, at most MOUNT_NODES: then the kernel is told to let go. Folders are read in pages.
 *
 * The protocol: on standard output "ready" when it is mounted, "error SENTENCE" and "hint SENTENCE" if it cannot be,
 * "note SENTENCE" later. The end of standard input (unless `stay`), SIGTERM or SIGINT end it, and so does an unmount by
 * anybody (fusermount3 -u DIR); it unmounts on its way out.
 */
#ifndef LEAT_REPO_MOUNT_H
#define LEAT_REPO_MOUNT_H

#include "repo/commit.h"

#define MOUNT_NODES 500000
#define MOUNT_ROLE "mount"

int mount_worker_main(int argc, char **argv);

/* Whether it could be mounted there: libfuse3, /dev/fuse, who mounts. ERR_NO_LIBRARY or ERR_REFUSED, hinting at
 * checkout. */
must_check int mount_possible(struct err *e);
/* An empty folder that is no part of the workspace, made if need be (then *made); a dead mount there is taken away. */
must_check int mount_prepare(struct store *s, struct arena *a, const char *dir, char **out, bool *made, struct err *e);
/* Takes away what a server that was killed left there. */
void mount_clear(const char *dir);

#endif
