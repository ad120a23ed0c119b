#include "tools/docketd/arguments.hpp"

#include <CLI/CLI.hpp>

#include "tools/docketd/certificates.hpp"
#include "tools/manual/completion.hpp"
#include "tools/manual/man_page.hpp"
#include "tools/version.hpp"

namespace docket::server {

namespace {

constexpr int usage_error = 2;

}  // namespace

ParsedArguments parse_arguments(int argc, char** argv) {
  ParsedArguments parsed;
  Arguments& a = parsed.arguments;
  CLI::App app{
      "docketd stores audit and activity events and answers questions about them.\n"
      "Started without options it keeps its data in ./docket-data, takes events on\n"
      "127.0.0.1:7470 and answers HTTP on 127.0.0.1:7480.",
      "docketd"};
  app.set_version_flag("--version", std::string("docketd ") + std::string(version));
  app.add_option("--data", a.data, "Directory of the data; made when missing (./docket-data)")
      ->envname("DOCKET_DATA")
      ->type_name("DIR");
  app.add_option("--ingest", a.ingest, "Where events are sent to (127.0.0.1:7470); port 0: any")
      ->envname("DOCKET_INGEST")
      ->type_name("ADDR:PORT");
  app.add_option("--socket", a.socket,
                 "Unix socket that events are sent to as well; one that a dead server left is "
                 "replaced")
      ->envname("DOCKET_SOCKET")
      ->type_name("PATH");
  app.add_option("--http", a.http, "Where HTTP is answered (127.0.0.1:7480); port 0: any")
      ->envname("DOCKET_HTTP")
      ->type_name("ADDR:PORT");
  app.add_option("--config", a.config, "Configuration file; see --print-config for its form")
      ->envname("DOCKET_CONFIG")
      ->type_name("FILE.toml");
  app.add_option("--log-level", a.log_level, "debug, info, warning or error (info)")
      ->envname("DOCKET_LOG_LEVEL")
      ->type_name("LEVEL");
  app.add_option("--log-format", a.log_format, "logfmt or json, on stderr (logfmt)")
      ->envname("DOCKET_LOG_FORMAT")
      ->type_name("FORMAT");
  app.add_flag("--insecure", a.insecure, "Listen beyond this machine also without TLS and tokens")
      ->envname("DOCKET_INSECURE");
  app.add_flag("--check-config", a.check_config, "Check the configuration and exit");
  app.add_flag("--print-config", a.print_config,
               "Print the configuration that is in effect as a file, and exit");
  app.add_option("--new-token", a.new_token,
                 "Print a fresh random token, and the [[token]] of the file for it, and exit")
      ->type_name("NAME");
  app.add_option("--role", a.role, "Of the new token: writer, reader, operator or admin (reader)")
      ->type_name("ROLE")
      ->needs("--new-token");
  app.footer(
      "Flags come before environment variables, these before the file, the file before\n"
      "defaults. SIGTERM stops after storing and acknowledging what was received; SIGHUP\n"
      "reads retention, senders, redaction, tokens, certificates, scrub period and log level\n"
      "anew. Events of docketd itself are in log docket.");
  std::string shell;
  bool man = false;
  app.add_option("--completion", shell,
                 "Print a script that completes words in this shell, and exit")
      ->type_name(std::string(manual::shells))
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  app.add_flag("--man", man, "Print the manual page and exit");
  try {
    app.parse(argc, argv);
    if (man || !shell.empty()) {
      const manual::CommandText program = manual::describe(app, {});
      const std::string text =
          man ? manual::man_page(program, {8, "docketd " + std::string(version), "docket(1)"})
              : manual::completion_for(shell, program);
      static_cast<void>(std::fputs(text.c_str(), stdout));
      parsed.exit_code = 0;
    }
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = app.exit(error) == 0 ? 0 : usage_error;
  }
  return parsed;
}

Result<Settings> load_settings(const Arguments& arguments) {
  Settings settings;
  if (arguments.config) {
    DOCKET_TRY(read_settings_file(*arguments.config, settings));
  }
  const auto named = [](std::string_view name, auto result) {
    if (!result) {
      result.error().message.insert(0, std::string(name) + ": ");
    }
    return result;
  };
  if (arguments.data) {
    settings.data = *arguments.data;
  }
  if (arguments.ingest) {
    DOCKET_ASSIGN(settings.ingest, named("--ingest", parse_address(*arguments.ingest)));
  }
  if (arguments.socket) {
    settings.socket = *arguments.socket;
  }
  if (arguments.http) {
    DOCKET_ASSIGN(settings.http, named("--http", parse_address(*arguments.http)));
  }
  if (arguments.log_level) {
    DOCKET_ASSIGN(settings.log_level, named("--log-level", parse_log_level(*arguments.log_level)));
  }
  if (arguments.log_format) {
    DOCKET_ASSIGN(settings.log_format,
                  named("--log-format", parse_log_format(*arguments.log_format)));
  }
  settings.insecure = arguments.insecure;
  DOCKET_TRY(check_settings(settings));
  if (settings.tls.is_on()) {
    DOCKET_TRY(ingest::server_tls(tls_files(settings.tls)));
  }
  return settings;
}

}  // namespace docket::server
