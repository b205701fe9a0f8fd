#!/usr/bin/perl
# dcm-health PORT PATH: asks a program of this container, and exits 0 when it
# answers 200. The answer is what `docker inspect` shows as the check's output.
#
# Perl, because every Debian has it and no curl: an image is not made larger,
# nor given a tool to fetch with, for the sake of its health check.
use strict;
use warnings;
use IO::Socket::INET;

alarm 4;
my ($port, $path) = @ARGV;
my $socket = IO::Socket::INET->new("127.0.0.1:$port")
	or die "port $port: $!\n";
print $socket "GET $path HTTP/1.1\r\nHost: localhost\r\n"
	. "Connection: close\r\n\r\n";
local $/;
my $answer = <$socket> // '';
print $answer;
exit($answer =~ m{^HTTP/1\.[01] 200 } ? 0 : 1);
