#include "sys/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "sys/file.h"
#include "sys/rand.h"

#define FUSE_MAGIC 0x65735546u

static const struct {
	uint32_t magic;
	const char *name;
	enum fs_class class;
} kinds[] = {
	{0xef53, "ext4", FS_LOCAL},
	{0x58465342, "xfs", FS_LOCAL},
	{0x9123683e, "btrfs", FS_LOCAL},
	{0x2fc12fc1, "zfs", FS_LOCAL},
	{0xf2f52010, "f2fs", FS_LOCAL},
	{0xca451a4e, "bcachefs", FS_LOCAL},
	{0x794c7630, "overlay", FS_LOCAL},
	{0x4d44, "vfat", FS_LOCAL},
	{0x2011bab0, "exfat", FS_LOCAL},
	{0x5346544e, "ntfs", FS_LOCAL},
	{FUSE_MAGIC, "fuse", FS_LOCAL}, /* looked at closer below */
	{0x01021994, "tmpfs", FS_MEMORY},
	{0x858458f6, "ramfs", FS_MEMORY},
	{0x6969, "nfs", FS_NETWORK},
	{0x517b, "smb", FS_NETWORK},
	{0xff534d42, "cifs", FS_NETWORK},
	{0xfe534d42, "smb2", FS_NETWORK},
	{0x01021997, "9p", FS_NETWORK},
	{0x00c36400, "ceph", FS_NETWORK},
	{0x5346414f, "afs", FS_NETWORK},
	{0x73757245, "coda", FS_NETWORK},
	{0x7461636f, "ocfs2", FS_NETWORK},
	{0x01161970, "gfs2", FS_NETWORK},
	{0x0bd00bd0, "lustre", FS_NETWORK},
	{0x47504653, "gpfs", FS_NETWORK},
	{0x19830326, "beegfs", FS_NETWORK},
};

/* Those whose bytes lie with another machine; any other FUSE file system is taken for a local one. */
static const char *const remote_fuse[] = {
	"fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.glusterfs", "fuse.curlftpfs",
	"fuse.davfs", "fuse.mount-s3", "fuse.juicefs", "fuse.blobfuse2", "fuse.cephfs", "fuse.ceph-fuse",
};

/* statfs calls them all "fuse"; the mount table knows which. */
static void look_closer_at_fuse(const char *path, struct fs_info *info)
{
	struct stat st;
	char line[4096], want[32];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	if (!f)
		return;
	if (!stat(path, &st)) {
		snprintf(want, sizeof(want), " %u:%u ", major(st.st_dev), minor(st.st_dev));
		while (fgets(line, sizeof(line), f)) {
			const char *type = strstr(line, " - ");

			if (strstr(line, want) && type)
				snprintf(info->name, sizeof(info->name), "%.*s", (int)strcspn(type + 3, " "), type + 3);
		}
	}
	fclose(f);
	for (size_t i = 0; i < ARRAY_LEN(remote_fuse); i++)
		if (!strcmp(info->name, remote_fuse[i]))
			info->class = FS_NETWORK;
}

int fs_kind(const char *path, struct fs_info *out, struct err *e)
{
	struct fs_info info = {.class = FS_LOCAL};
	struct statfs s;
	uint32_t magic;

	if (statfs(path, &s))
		return err_errno(e, errno, "cannot ask the file system of %s", path);
	magic = (uint32_t)s.f_type;
	snprintf(info.name, sizeof(info.name), "0x%x", magic);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].magic == magic) {
			snprintf(info.name, sizeof(info.name), "%s", kinds[i].name);
			info.class = kinds[i].class;
		}
	if (magic == FUSE_MAGIC)
		look_closer_at_fuse(path, &info);
	info.free_bytes = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
	info.total_bytes = (uint64_t)s.f_blocks * (uint64_t)s.f_bsize;
	info.free_inodes = s.f_files ? s.f_ffree : UINT64_MAX; /* btrfs counts none */
	*out = info;
	return 0;
}

int fs_free_bytes(const char *path, uint64_t *out, struct err *e)
{
	struct fs_info info;

	if (fs_kind(path, &info, e))
		return -1;
	*out = info.free_bytes;
	return 0;
}

/* Two names of our own in the folder, for trying things. */
static void trial_names(struct arena *a, const char *dir, char **one, char **two)
{
	char name[RAND_NAME];

	rand_name(name);
	*one = path_join(a, dir, arena_printf(a, ".leat-%s.try1", name));
	*two = path_join(a, dir, arena_printf(a, ".leat-%s.try2", name));
}

static int trial_end(int rc, const char *one, const char *two)
{
	(void)remove(one);
	(void)remove(two);
	return rc;
}

int fs_can_reflink(const char *dir, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *one, *two, block[4096] = {1};

	trial_names(a, dir, &one, &two);
	if (file_write(one, (struct str){block, sizeof(block)}, 0600, FILE_EXCL, e))
		return trial_end(-1, one, two);
	return trial_end(file_clone_only(one, two, 0600, e), one, two);
}

int fs_can_exchange(const char *dir, struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	char *one, *two;

	trial_names(a, dir, &one, &two);
	if (file_write(one, STR("1"), 0600, FILE_EXCL, e) || file_write(two, STR("2"), 0600, FILE_EXCL, e))
		return trial_end(-1, one, two);
	return trial_end(file_exchange(one, two, e), one, two);
}
