<?php
// PHP: appends audit events to a file that `docket forward` sends. Nothing to install.
//
// In a Laravel application, as app/Support/Audit.php:
//
//   Audit::record('EDIT', ['type' => 'List', 'id' => (string) $list->id, 'name' => $list->name],
//                 ['changes' => [['field' => 'hourly_limit', 'old' => 100, 'new' => 250]]]);
//
// or for every model that changes, in a service provider's boot():
//
//   Event::listen('eloquent.updated: *', function (string $name, array $models) {
//       [$model] = $models;
//       $changes = [];
//       foreach ($model->getChanges() as $field => $new) {
//           $changes[] = ['field' => $field, 'old' => $model->getOriginal($field), 'new' => $new];
//       }
//       Audit::record('UPDATE', ['type' => class_basename($model), 'id' => (string) $model->getKey()],
//                     ['changes' => $changes]);
//   });
//
// The line is written at once and under a lock, so that all workers may share the file; it is opened
// by name each time, so that the file may be rotated at any moment.

final class Audit
{
    public static string $path = '/var/log/app/audit.ndjson';

    public static function record(string $verb, array $target, array $payload = []): void
    {
        $user = function_exists('auth') ? auth()->user() : null;
        $event = [
            'ts' => (new DateTimeImmutable())->format('Y-m-d\TH:i:s.uP'),
            'actor' => $user === null
                ? ['kind' => 'system', 'id' => php_sapi_name()]
                : ['kind' => 'user', 'id' => (string) $user->getAuthIdentifier(), 'name' => $user->name],
            'verb' => $verb,
            'target' => $target,
        ];
        if (function_exists('request') && request()->ip() !== null) {
            $event['ip'] = request()->ip();
        }
        if ($payload !== []) {
            $event['payload'] = $payload;
        }
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR;
        file_put_contents(self::$path, json_encode($event, $flags) . "\n", FILE_APPEND | LOCK_EX);
    }
}

if (isset($argv[2]) && realpath($argv[0]) === __FILE__) {
    // php audit.php FILE COUNT: as many events, for a try.
    Audit::$path = $argv[1];
    for ($i = 1; $i <= (int) $argv[2]; ++$i) {
        Audit::record('EDIT', ['type' => 'List', 'id' => "php-$i", 'name' => "Newsletter\nsubscribers"],
                      ['changes' => [['field' => 'hourly_limit', 'old' => 100, 'new' => 100 + $i]]]);
    }
}
