#include "unit.h"

#include "../../lib/setting_file.c"

#include "file_here.h"

/* A file with this text: its error, or the value of A, or "(none)". */
static const char *
value_in(const char *text, size_t len)
{
	static char answer[300];
	struct buf error = BUF_INIT(1000);
	struct setting_file *f;
	const char *value = "(none)";

	f = setting_file_open(write_file(text, len), &error);
	if (f == NULL) {
		value = buf_text(&error) + strlen(file);
	} else {
		struct setting_source source = setting_file_source(f);

		if (source.get(source.arg, "A") != NULL)
			value = source.get(source.arg, "A");
	}
	snprintf(answer, sizeof(answer), "%s", value);
	setting_file_close(f);
	buf_free(&error);
	drop_file();
	return answer;
}

UNIT("a file is read as a shell would read its quotes")
{
	static const char *const rows[][2] = {
		{ "", "(none)" }, { "\n\n# A=1\n  # x\n\t\n", "(none)" },
		{ "A=1", "1" }, { "A=1\n", "1" }, { "A=1\r\n", "1" },
		{ "A=", "" }, { "A=\n", "" }, { "B=1\nA=2\nC=3", "2" },
		{ "A=1\nA=2\n", "2" }, { "export A=1", "1" },
		{ "  export\t A=1  ", "1" }, { "export=1\nA=2", "2" },
		{ "A=b#c", "b#c" }, { "A=b #c", "b" }, { "A=  #c", "" },
		{ "A='b c' # d", "b c" }, { "A=\"b c\"", "b c" },
		{ "A='b\"$c\\'", "b\"$c\\" },
		{ "A=\"b'\\\"\\\\\\$\\`\\n$X\"", "b'\"\\$`\\n$X" },
		{ "A=a\\ b\\#\\\\", "a b#\\" }, { "A=x'y'\"z\"", "xyz" },
		{ "A=''", "" }, { "A==", "=" }, { "A=http://h/?x=1&y=2",
		  "http://h/?x=1&y=2" }, { "A=caf\xc3\xa9", "caf\xc3\xa9" },
		{ "A={\"url\":1}", "{url:1}" }, { "A_1=2\nA=1", "1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = value_in(rows[i][0], strlen(rows[i][0]));

		if (strcmp(got, rows[i][1]) != 0)
			UNIT_FAIL("%s gives %s", rows[i][0], got);
	}
}

UNIT("a line that is wrong is named by its number")
{
	CHECK_TEXT(value_in("A=1\n\nB\n", 7),
	    ":3: not of the form NAME=value\n");
	CHECK_TEXT(value_in("=1", 2), ":1: not of the form NAME=value\n");
	CHECK_TEXT(value_in("1A=1", 4), ":1: not of the form NAME=value\n");
	CHECK_TEXT(value_in("A-B=1", 5), ":1: not of the form NAME=value\n");
	CHECK_TEXT(value_in("A =1", 4), ":1: not of the form NAME=value\n");
	CHECK_TEXT(value_in("\xef\xbb\xbf" "A=1", 6),
	    ":1: not of the form NAME=value\n");
	CHECK_TEXT(value_in("A='b\nc'\n", 8), ":1: a quote without an end\n");
	CHECK_TEXT(value_in("A=\"b\\\"\n", 7), ":1: a quote without an end\n");
	CHECK_TEXT(value_in("#\nA=b\\\n", 7),
	    ":2: a backslash at the end of a line\n");
	CHECK_TEXT(value_in("A=b c", 5), ":1: more text after the value; "
	    "a value with spaces needs quotes\n");
	CHECK_TEXT(value_in("A=1\nB=\0x\n", 9), ":2: a NUL byte\n");
	CHECK_TEXT(value_in("A=1\0", 4), ":1: a NUL byte\n");
}

UNIT("a file that is missing or too big is an error")
{
	struct buf error = BUF_INIT(1000);
	char *big = calloc(1, 1024 * 1024 + 1);

	CHECK(setting_file_open("/nonexistent/x", &error) == NULL);
	CHECK_TEXT(buf_text(&error),
	    "/nonexistent/x: No such file or directory\n");
	memset(big, '\n', 1024 * 1024 + 1);
	CHECK_TEXT(value_in(big, 1024 * 1024 + 1), ": larger than 1 MiB\n");
	CHECK_TEXT(value_in(big, 1024 * 1024), "(none)");
	free(big);
	buf_free(&error);
}

UNIT_MAIN
