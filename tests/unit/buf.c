#include "unit.h"

#include <stdlib.h>

#include "../../lib/buf.c"

UNIT("bytes are added up to the cap and not one more")
{
	struct buf b = BUF_INIT(5);

	CHECK(b.data == NULL);
	CHECK_TEXT(buf_text(&b), "");
	CHECK(buf_str(&b, "abc"));
	CHECK(buf_char(&b, 'd'));
	CHECK(!buf_str(&b, "ef"));
	CHECK_TEXT(buf_text(&b), "abcd");
	CHECK(b.failed);
	CHECK(!buf_char(&b, 'e'));	/* though it would fit */
	CHECK_TEXT(buf_text(&b), "abcd");
	buf_reset(&b);
	CHECK(!b.failed && b.len == 0);
	CHECK_TEXT(buf_text(&b), "");
	CHECK(buf_str(&b, "12345"));
	CHECK(!buf_add(&b, "", 1));
	CHECK_INT(b.len, 5);
	buf_free(&b);
	CHECK(b.data == NULL && b.max == 5 && !b.failed);
	buf_free(&b);
}

UNIT("numbers are written as printf would, up to the longest")
{
	struct buf b = BUF_INIT(40);

	CHECK(buf_number(&b, 0));
	CHECK(buf_char(&b, ' ') && buf_number(&b, 1234567890));
	CHECK(buf_char(&b, ' ') && buf_number(&b, UINT64_MAX));
	CHECK_TEXT(buf_text(&b), "0 1234567890 18446744073709551615");
	CHECK(!buf_number(&b, 12345678));
	CHECK(b.failed && b.len == 33);
	buf_free(&b);
}

UNIT("a length beyond all measure is refused")
{
	struct buf b = BUF_INIT(SIZE_MAX);

	CHECK(buf_room(&b, SIZE_MAX) == NULL);
	buf_reset(&b);
	CHECK(buf_char(&b, 'x'));
	CHECK(buf_room(&b, SIZE_MAX - 1) == NULL);
	buf_reset(&b);
	CHECK(buf_room(&b, SIZE_MAX / 2) == NULL);
	buf_free(&b);
}

UNIT("bytes may be NUL, and text ends with one all the same")
{
	struct buf b = BUF_INIT(100);

	CHECK(buf_add(&b, "a\0b", 3));
	CHECK_INT(b.len, 3);
	CHECK(memcmp(b.data, "a\0b", 4) == 0);
	CHECK(buf_add(&b, NULL, 0));
	buf_free(&b);
}

UNIT("printing fits wholly or not at all")
{
	struct buf b = BUF_INIT(8);

	CHECK(buf_printf(&b, "%d-%s", 12, "abc"));
	CHECK_TEXT(buf_text(&b), "12-abc");
	CHECK(!buf_printf(&b, "%s", "xyz"));
	CHECK_TEXT(buf_text(&b), "12-abc");
	buf_reset(&b);
	CHECK(buf_printf(&b, "%08d", 7));
	CHECK_TEXT(buf_text(&b), "00000007");
	buf_free(&b);
}

UNIT("it grows over many additions, and holds what was added")
{
	struct buf b = BUF_INIT(1000000);

	for (int i = 0; i < 1000000; i++)
		if (!buf_char(&b, (char)('a' + i % 26)))
			break;
	CHECK_INT(b.len, 1000000);
	CHECK(b.data[999999] == (char)('a' + 999999 % 26));
	CHECK(b.data[1000000] == '\0');
	for (size_t i = 0; i < b.len; i++)
		CHECK(b.data[i] == (char)('a' + i % 26));
	buf_free(&b);
}

UNIT("room that was asked for is filled by others")
{
	struct buf b = BUF_INIT(100);
	char *room = buf_room(&b, 10);

	CHECK(room != NULL);
	memcpy(room, "hello", 5);
	buf_grew(&b, 5);
	CHECK_TEXT(buf_text(&b), "hello");
	room = buf_room(&b, 95);
	CHECK(room == b.data + 5);
	CHECK(buf_room(&b, 96) == NULL);
	buf_free(&b);
}

UNIT("the beginning is dropped")
{
	struct buf b = BUF_INIT(100);

	buf_drop(&b, 0);
	buf_str(&b, "hello");
	buf_drop(&b, 0);
	CHECK_TEXT(buf_text(&b), "hello");
	buf_drop(&b, 2);
	CHECK_TEXT(buf_text(&b), "llo");
	buf_drop(&b, 3);
	CHECK_TEXT(buf_text(&b), "");
	CHECK_INT(b.len, 0);
	buf_free(&b);
}

UNIT("text is given away once, and never half of it")
{
	struct buf b = BUF_INIT(5);
	char *text;

	text = buf_give(&b);
	CHECK_TEXT(text, "");
	free(text);
	buf_str(&b, "abc");
	text = buf_give(&b);
	CHECK_TEXT(text, "abc");
	free(text);
	CHECK(b.data == NULL && b.len == 0);
	buf_str(&b, "abcdef");
	CHECK(buf_give(&b) == NULL);
	CHECK(!b.failed);
	buf_free(&b);
}

UNIT_MAIN
