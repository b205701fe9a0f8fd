#ifndef UNIT_H
#define UNIT_H
/*
 * Unit tests: each file includes the .c it tests, has functions that begin
 * with a sentence, and ends with a table of them. Prints TAP.
 *
 *   UNIT("a list matches when one of its tags does")
 *   {
 *           CHECK(etag_match("\"a\", \"b\"", "\"b\""));
 *   }
 *   UNIT_MAIN
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *sentence;
	void (*run)(void);
	struct unit *next;
};

static struct unit *unit_first, **unit_end = &unit_first;
static jmp_buf unit_failed;
static char unit_why[1024];

#define UNIT_JOIN_(a, b) a##b
#define UNIT_JOIN(a, b) UNIT_JOIN_(a, b)
#define UNIT_NAME(what) UNIT_JOIN(unit_##what##_, __LINE__)

#define UNIT(text)							\
	static void UNIT_NAME(run)(void);				\
	static struct unit UNIT_NAME(row) = { text, UNIT_NAME(run), NULL };\
	__attribute__((constructor)) static void UNIT_NAME(add)(void)	\
	{								\
		*unit_end = &UNIT_NAME(row);				\
		unit_end = &UNIT_NAME(row).next;			\
	}								\
	static void UNIT_NAME(run)(void)

#define UNIT_FAIL(...)							\
	do {								\
		int at_ = snprintf(unit_why, sizeof(unit_why),		\
		    "%s:%d: ", __FILE__, __LINE__);			\
		snprintf(unit_why + at_, sizeof(unit_why) - (size_t)at_,\
		    __VA_ARGS__);					\
		longjmp(unit_failed, 1);				\
	} while (0)

#define CHECK(truth)							\
	do {								\
		if (!(truth))						\
			UNIT_FAIL("not true: %s", #truth);		\
	} while (0)

#define CHECK_INT(got, want)						\
	do {								\
		long long got_ = (long long)(got);			\
		long long want_ = (long long)(want);			\
		if (got_ != want_)					\
			UNIT_FAIL("%s is %lld, not %lld", #got, got_,	\
			    want_);					\
	} while (0)

#define CHECK_TEXT(got, want)						\
	do {								\
		const char *got_ = (got), *want_ = (want);		\
		if (got_ == NULL || strcmp(got_, want_) != 0)		\
			UNIT_FAIL("%s is \"%.400s\", not \"%.400s\"", #got, \
			    got_ != NULL ? got_ : "(null)", want_);	\
	} while (0)

static int
unit_main(void)
{
	static int number, failed;	/* static: longjmp(3) keeps them */
	static struct unit *u;

	for (u = unit_first; u != NULL; u = u->next) {
		number++;
		if (setjmp(unit_failed) == 0) {
			u->run();
			printf("ok %d %s\n", number, u->sentence);
		} else {
			failed++;
			printf("not ok %d %s\n# %s\n", number, u->sentence,
			    unit_why);
		}
		fflush(stdout);
	}
	printf("1..%d\n", number);
	return failed > 0;
}

#define UNIT_MAIN int main(void) { return unit_main(); }

#endif
