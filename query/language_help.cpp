#include "query/parser.hpp"

namespace docket::query {

// Lines that begin with four blanks are examples: a test parses the part before two blanks.
std::string_view language_help() {
  return R"(THE QUERY LANGUAGE

A query is one string; it means the same on the command line, in a URL, in the API, in a saved
view and on the page. An empty query is every event.

    actor:17 verb:DELETE,SUPPRESS target.type:Contact since:7d
    -ip:10.0.0.0/8 changed:hourly_limit "newsletter"

TERMS

  field:value       The field has that value. Directly behind the colon, no blank between.
  field:a,b         One of the values. Naming the field again says the same.
  word "a phrase"   Found, in any case, inside any name, id, reason or payload text.
  -term             NOT. Each negated term is a NOT of its own.
  a b               Both. Terms of different fields, and every word, must hold.
  a AND b           Both, also for one field: target:List:5 AND target:Contact:9.
  a OR b            Either. Binds less than standing side by side: a b OR c is (a b) OR c.
  ( )               Groups. OR, AND and NOT are written in capitals; NOT is another way to say -.
  *                 Every event.

    verb:CREATE verb:DELETE  either verb
    verb:CREATE,DELETE outcome:failure  either verb, and it failed
    welcome series  both words, anywhere
    "welcome series"  the phrase
    -verb:SENT -verb:DELIVERED  neither
    (verb:DELETE OR outcome:denied) actor.kind:api_token
    target:List:5 AND target:Contact:9  touched both

VALUES

  A value runs to white space, a comma or a parenthesis, colons and all. Put it in quotes to have
  those in it, too: "Smith, John". In quotes, \" is a quote and \\ a backslash.
  A * at the end finds every value that begins so; in quotes it is the character itself, behind the
  closing quote it is a prefix again. field:* finds the events that have the field at all.

    target.name:"Welcome series"
    target.name:"Welcome se"*
    session:*  has a session
    -reason:*  has no reason
    target.name:"50 % off*"  ends in a star

FIELDS

  log               The log surface. A query covers every log but docket, the system's own, of
                    which it finds only what log: names: log:* or log:docket, but nothing by
                    log:api OR outcome:denied, nor by a log: behind a NOT.
  actor             kind:id, an id, or a whole name.
  actor.kind actor.id actor.name actor.role
  verb              EDIT also finds UPDATE, and the reverse.
  target            Type:id, an id, or a whole name, or the type of a target that has no id; of the
                    target or of any related one. So do
  target.type target.id target.name
  ip                An address or a network: 10.0.0.1, 10.0.0.0/8, 2001:db8::/32.
  outcome           success, failure or denied.
  reason session request node
  seq               A number or a range with both ends in it: 17, 17..42.
  payload           Text inside the payload, in any case: as it was sent, or as its escapes read.
  changed           A field in the payload's diff: hourly_limit, limits.hourly, or limits for all
                    that is in it.
  old new           A value in the diff, before or after: text without quotes, or JSON.
  since until on    Time, see below.

  verb, actor.kind, target.type and outcome ignore case; the other values do not. Facets and
  histograms count each value by itself, as it was sent: choosing EDIT finds UPDATE, too.

    actor:user:17
    target:Contact:1048
    actor.name:"Ana Lima" verb:EDIT
    ip:2001:db8::/32,10.0.0.0/8
    log:activity seq:1000..2000
    changed:hourly_limit old:500 new:5000
    log:* verb:START  the system's own log as well

TIME

  since:            From that instant on.
  until:            Up to that instant, itself left out. Of several bounds the tightest holds.
  on:               A whole day: today, yesterday or a date. Takes a list, as other fields do.

  2026-05-01T14:22:03Z  An instant with its offset (RFC 3339), up to nine fraction digits.
  2026-05-01T14:22      That clock time, in the asked time zone.
  2026-05-01            The start of that day.
  14:22 14:22:05        That clock time today, also where it is still to come.
  30s 90m 24h 7d 2w     So long ago; 1d12h adds up. A day is 24 hours here, a week 168.
  today yesterday       The start of that day.
  now                   This instant.

  Days are those of the asked time zone (UTC unless another was given), so that on: covers 23 or 25
  hours where clocks change. A clock time that clocks jump over is the moment of the jump; one that
  comes twice is the first. until:2026-05-01 ends before that day begins. Before 1677-09-21 and
  after 2262-04-11 no event can be: such a bound leaves that side open, until:9999-12-31 as well.

    since:today
    since:yesterday until:today
    on:2026-05-01,2026-05-03
    since:2026-05-01T08:00 until:2026-05-01T12:30
    since:14:22 until:14:30
    since:2026-05-01T14:22:03.25+02:00

BOUNDS

  A query has at most 64 KiB, 4096 values, and 64 levels of parentheses and NOT.
)";
}

}  // namespace docket::query
