/*
 * The files of the fast path: when they are written, and when there is no
 * `now` instead.
 */
#include "unit.h"

#include <pthread.h>

#include "../../cgi/front.c"

#include "controller_here.h"
#include "said_here.h"

static bool
there(const char *name)
{
	char file[PATH_MAX];

	return front_path(&c.front, file, name) && access(file, F_OK) == 0;
}

UNIT("a responder writes all three, and a turn mends what is missing")
{
	char file[PATH_MAX];

	controller_here(true);
	front_publish(&c);
	CHECK(there("now") && there("published") && there("credentials"));
	front_path(&c.front, file, "credentials");
	unlink(file);
	front_path(&c.front, file, "now");
	unlink(file);
	front_turn(&c);
	CHECK(there("now") && there("credentials"));
	controller_gone();
}

UNIT("what others could read is written anew")
{
	char file[PATH_MAX];
	struct stat st;

	controller_here(true);
	front_publish(&c);
	front_path(&c.front, file, "credentials");
	CHECK(chmod(file, 0644) == 0);
	front_publish(&c);
	CHECK(stat(file, &st) == 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	controller_gone();
}

UNIT("a command makes no folder, and takes away what may be behind")
{
	controller_here(false);
	front_publish(&c);
	CHECK(!there("lock"));
	c.front.keeps = true;
	front_publish(&c);
	CHECK(there("now"));
	c.front.keeps = false;
	front_publish(&c);
	CHECK(!there("now"));
	front_turn(&c);
	CHECK(!there("now"));
	controller_gone();
}

UNIT("nobody waits for a writer that does not come to an end")
{
	int lock;

	controller_here(true);
	front_publish(&c);
	lock = front_lock(&c.front, 0);
	CHECK(lock >= 0);
	front_publish(&c);
	CHECK(!there("now"));
	front_turn(&c);
	CHECK(!there("now"));
	close(lock);
	front_turn(&c);
	CHECK(there("now"));
	controller_gone();
}

/* As if all had been found well so long ago. */
static void
found_ago(int ms)
{
	char file[PATH_MAX], line[32];
	int fd;

	front_path(&c.front, file, "now");
	fd = open(file, O_WRONLY);
	snprintf(line, sizeof(line), "%013lld", clock_wall() - ms);
	CHECK(pwrite(fd, line, 13, 0) == 13);
	close(fd);
}

UNIT("what a stopped writer may have outdated is taken away by a turn")
{
	int lock;

	controller_here(true);
	front_publish(&c);
	lock = front_lock(&c.front, 0);
	found_ago(FRONT_TURN_MS + 100);
	front_turn(&c);
	CHECK(there("now"));
	found_ago(FRONT_STUCK_MS);
	front_turn(&c);
	CHECK(!there("now"));
	close(lock);
	front_turn(&c);
	CHECK(there("now"));
	controller_gone();
}

static void *
publisher(void *arg)
{
	front_publish(arg);
	return NULL;
}

/* Until somebody waits for the lock of that file. */
static void
waited_for(int fd)
{
	char inode[32], line[256], *at;
	bool found = false;
	struct stat st;
	FILE *locks;

	CHECK(fstat(fd, &st) == 0);
	snprintf(inode, sizeof(inode), ":%llu ",
	    (unsigned long long)st.st_ino);
	for (int i = 0; i < 2000 && !found; i++) {
		locks = fopen("/proc/locks", "re");
		CHECK(locks != NULL);
		while (!found && fgets(line, sizeof(line), locks) != NULL)
			found = (at = strstr(line, "-> ")) != NULL &&
			    strstr(at, inode) != NULL;
		fclose(locks);
		usleep(10000);
	}
	CHECK(found);
}

UNIT("who was slow writes nothing that another has taken away meanwhile")
{
	char file[PATH_MAX];
	pthread_t slow;
	int lock;

	controller_here(true);
	front_publish(&c);
	front_path(&c.front, file, "published");
	unlink(file);
	front_path(&c.front, file, "published.new");
	lock = keep_lock(file, 0);
	CHECK(lock >= 0);
	CHECK(pthread_create(&slow, NULL, publisher, &c) == 0);
	waited_for(lock);		/* it has read the store by now */
	front_withdraw(&c.front);
	close(lock);
	pthread_join(slow, NULL);
	CHECK(there("published") && !there("now"));
	front_turn(&c);
	CHECK(there("now"));
	controller_gone();
}

/* How often two turns say that the file is a folder. */
static int
turns_say(void)
{
	said_begin();
	front_turn(&c);
	front_turn(&c);
	return said_times("Is a directory");
}

UNIT("what cannot be written is not vouched for, which is said once")
{
	char file[PATH_MAX];

	controller_here(true);
	front_publish(&c);
	front_path(&c.front, file, "published");
	for (int i = 0; i < 2; i++) {
		unlink(file);
		CHECK(mkdir(file, 0700) == 0);
		front_withdraw(&c.front);
		CHECK_INT(turns_say(), 1);
		front_publish(&c);
		CHECK(!there("now"));
		CHECK_INT(turns_say(), 0);
		rmdir(file);
		front_publish(&c);
		CHECK(there("now"));
	}
	free(c.settings.agent_key);	/* then everybody is refused */
	c.settings.agent_key = NULL;
	front_publish(&c);
	CHECK(!there("now"));
	controller_gone();
}

UNIT("nor does a responder wait for one: it goes, or there is no now")
{
	static const char *const names[] = { "now", "published.new",
	    "credentials.new", "published", "credentials", };
	char file[PATH_MAX], first[PATH_MAX];

	controller_here(true);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		front_publish(&c);
		front_path(&c.front, file, names[i]);
		front_path(&c.front, first, names[i]);
		if (strstr(first, ".new") != NULL)
			*strstr(first, ".new") = '\0';
		unlink(first);
		CHECK(mkfifo(file, 0600) == 0);
		alarm(20);		/* else for ever */
		front_turn(&c);
		front_publish(&c);
		front_publish(&c);
		alarm(0);
		CHECK(there("now") == (i < 3));
		unlink(file);
	}
	front_publish(&c);
	CHECK(there("now"));
	controller_gone();
}

UNIT("lighttpd never waits for a FIFO in the place of a file")
{
	static const char *const names[] = { "now", "published",
	    "credentials" };
	struct front_view v;
	char file[PATH_MAX];

	controller_here(true);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		front_publish(&c);
		CHECK(front_open_view(&v, folder, clock_wall() - 1000));
		CHECK(front_look(&v, clock_wall()));
		v.stamp[0] = v.tag[0] = '\0';
		front_path(&c.front, file, names[i]);
		CHECK(unlink(file) == 0 && mkfifo(file, 0600) == 0);
		alarm(20);		/* else for ever */
		CHECK(!front_look(&v, clock_wall() + 20));
		alarm(0);
		front_close_view(&v);
		unlink(file);
	}
	controller_gone();
}

UNIT_MAIN
