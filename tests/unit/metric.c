#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "../../lib/metric.c"

enum { HITS, DEPTH, TOOK, SIZE };

static const long long bounds[] = { 5, 100, 1000, 2500, 0 };

static const struct metric_row table[] = {
	[HITS] = { .name = "hits_total", .kind = METRIC_COUNTER,
	    .doc = "Hits\\ by\nend", .labels = "code end", .sets = 4 },
	[DEPTH] = { .name = "depth", .kind = METRIC_GAUGE, .doc = "Tasks" },
	[TOOK] = { .name = "took_seconds", .kind = METRIC_HISTOGRAM,
	    .doc = "Time", .unit = 1000, .bounds = bounds },
	[SIZE] = { .name = "size_bytes", .kind = METRIC_HISTOGRAM,
	    .doc = "Size", .labels = "kind", .sets = 1, .bounds = bounds },
	{ .name = NULL },
};

static const struct metric_row other[] = {
	{ .name = "else_total", .kind = METRIC_COUNTER, .doc = "Else" },
	{ .name = NULL },
};

static char folder[64], path[128];

static struct metric *
fresh(const char *at)
{
	struct buf error = BUF_INIT(256);
	struct metric *m = metric_open(table, at, &error);

	if (m == NULL)
		UNIT_FAIL("%s", buf_text(&error));
	buf_free(&error);
	return m;
}

static void
temporary(void)
{
	strcpy(folder, "/tmp/metric.XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/metrics", folder);
}

static void
cleared(void)
{
	unlink(path);
	rmdir(folder);
}

static bool
prints(struct metric *m, const char *text)
{
	struct buf out = BUF_INIT(65536);
	bool there;

	metric_print(m, &out);
	there = strstr(buf_text(&out), text) != NULL;
	if (!there)
		printf("# %s", buf_text(&out));
	buf_free(&out);
	return there;
}

UNIT("a row without labels is printed before it was counted")
{
	struct metric *m = fresh(NULL);
	struct buf out = BUF_INIT(65536);

	metric_print(m, &out);
	CHECK_TEXT(buf_text(&out),
	    "# HELP hits_total Hits\\\\ by\\nend\n# TYPE hits_total counter\n"
	    "# HELP depth Tasks\n# TYPE depth gauge\ndepth 0\n"
	    "# HELP took_seconds Time\n# TYPE took_seconds histogram\n"
	    "took_seconds_bucket{le=\"0.005\"} 0\n"
	    "took_seconds_bucket{le=\"0.1\"} 0\n"
	    "took_seconds_bucket{le=\"1\"} 0\n"
	    "took_seconds_bucket{le=\"2.5\"} 0\n"
	    "took_seconds_bucket{le=\"+Inf\"} 0\n"
	    "took_seconds_sum 0\ntook_seconds_count 0\n"
	    "# HELP size_bytes Size\n# TYPE size_bytes histogram\n");
	buf_free(&out);
	metric_close(m);
}

UNIT("a counter adds by its labels, and a gauge goes both ways")
{
	struct metric *m = fresh(NULL);

	metric_add(m, HITS, METRIC_LABELS("200", "ok"), 2);
	metric_add(m, HITS, METRIC_LABELS("502", "ok"), 1);
	metric_add(m, HITS, METRIC_LABELS("200", "ok"), 1);
	metric_set(m, DEPTH, NULL, 7);
	metric_add(m, DEPTH, NULL, -9);
	CHECK(prints(m, "hits_total{code=\"200\",end=\"ok\"} 3\n"
	    "hits_total{code=\"502\",end=\"ok\"} 1\n"));
	CHECK(prints(m, "\ndepth -2\n"));
	CHECK_INT(metric_read(m, HITS, METRIC_LABELS("200", "ok")), 3);
	metric_close(m);
}

UNIT("a histogram's buckets add up, its bounds belong below")
{
	struct metric *m = fresh(NULL);

	metric_note(m, TOOK, NULL, 5);
	metric_note(m, TOOK, NULL, 6);
	metric_note(m, TOOK, NULL, 2500);
	metric_note(m, TOOK, NULL, 2501);
	CHECK(prints(m, "took_seconds_bucket{le=\"0.005\"} 1\n"
	    "took_seconds_bucket{le=\"0.1\"} 2\n"
	    "took_seconds_bucket{le=\"1\"} 2\n"
	    "took_seconds_bucket{le=\"2.5\"} 3\n"
	    "took_seconds_bucket{le=\"+Inf\"} 4\n"
	    "took_seconds_sum 5.012\ntook_seconds_count 4\n"));
	CHECK_INT(metric_read(m, TOOK, NULL), 4);
	metric_note(m, SIZE, METRIC_LABELS("a"), 1);
	CHECK(prints(m, "size_bytes_bucket{kind=\"a\",le=\"5\"} 1\n"));
	metric_close(m);
}

UNIT("label values are escaped, cut between characters, and made UTF-8")
{
	struct metric *m = fresh(NULL);
	char longest[80];

	metric_add(m, HITS, METRIC_LABELS("a\"b\\c\nd", "\xff\xc3x\xc3\xa9"),
	    1);
	CHECK(prints(m, "{code=\"a\\\"b\\\\c\\nd\",end=\"?\?x\xc3\xa9\"} 1"));
	memset(longest, 'x', 63);
	strcpy(longest + 63, "\xc3\xa9");
	metric_add(m, HITS, METRIC_LABELS("", longest), 1);
	longest[63] = '\0';
	CHECK_INT(metric_read(m, HITS, METRIC_LABELS("", longest)), 1);
	/* Where one value ends is part of it. */
	metric_add(m, HITS, METRIC_LABELS("ab", "c"), 1);
	CHECK_INT(metric_read(m, HITS, METRIC_LABELS("a", "bc")), 0);
	metric_close(m);
}

UNIT("what does not fit is counted together")
{
	struct metric *m = fresh(NULL);
	char code[16];

	for (int i = 0; i < 100; i++) {
		snprintf(code, sizeof(code), "%d", i);
		metric_add(m, HITS, METRIC_LABELS(code, "x"), 1);
	}
	CHECK(prints(m, "{code=\"3\",end=\"x\"} 1\n"
	    "hits_total{code=\"other\",end=\"other\"} 96\n"));
	metric_close(m);
}

/* Adds for ever; killed from outside. */
static pid_t
busy(const char *code)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct metric *m = fresh(path);

		for (;;)
			metric_add(m, HITS, METRIC_LABELS(code, "x"), 1);
	}
	return pid;
}

UNIT("processes share a file, and a killed one takes nothing with it")
{
	struct metric *m;
	pid_t one, two;
	long long seen, last = 0;

	temporary();
	m = fresh(path);
	one = busy("1");
	two = busy("2");
	for (int i = 0; i < 200; i++) {
		seen = metric_read(m, HITS, METRIC_LABELS("1", "x"));
		CHECK(seen >= last);
		last = seen;
		usleep(500);
	}
	while (metric_read(m, HITS, METRIC_LABELS("2", "x")) == 0)
		usleep(500);
	kill(one, SIGKILL);
	waitpid(one, NULL, 0);
	last = metric_read(m, HITS, METRIC_LABELS("1", "x"));
	CHECK(last > 0);
	kill(two, SIGKILL);
	waitpid(two, NULL, 0);
	CHECK_INT(metric_read(m, HITS, METRIC_LABELS("1", "x")), last);
	metric_close(m);
	m = fresh(path);
	CHECK_INT(metric_read(m, HITS, METRIC_LABELS("1", "x")), last);
	metric_close(m);
	cleared();
}

UNIT("nothing is lost when many add to one set at once")
{
	struct metric *m;

	temporary();
	m = fresh(path);
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			struct metric *mine = fresh(path);

			for (int n = 0; n < 20000; n++)
				metric_add(mine, HITS,
				    METRIC_LABELS("1", "x"), 1);
			_exit(0);
		}
	while (wait(NULL) > 0)
		continue;
	CHECK_INT(metric_read(m, HITS, METRIC_LABELS("1", "x")), 80000);
	metric_close(m);
	cleared();
}

UNIT("a file of another table is replaced, and its users go on")
{
	struct metric *m, *older;
	struct buf error = BUF_INIT(256);

	temporary();
	older = metric_open(other, path, &error);
	CHECK(older != NULL);
	metric_add(older, 0, NULL, 3);
	m = fresh(path);
	metric_add(older, 0, NULL, 1);
	CHECK_INT(metric_read(older, 0, NULL), 4);
	CHECK_INT(metric_read(m, DEPTH, NULL), 0);
	metric_close(older);
	metric_close(m);
	CHECK(truncate(path, 10) == 0);
	metric_close(fresh(path));
	cleared();
}

UNIT("what cannot be opened is said in one line")
{
	struct buf error = BUF_INIT(256);

	CHECK(metric_open(table, "/nowhere/at/all", &error) == NULL);
	CHECK_TEXT(buf_text(&error),
	    "metrics in /nowhere/at/all: No such file or directory");
	buf_free(&error);
}

UNIT_MAIN
