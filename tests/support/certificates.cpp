#include "tests/support/certificates.hpp"

#include <cstdlib>
#include <stdexcept>

namespace docket::testing {

void make_certificate(const std::string& directory, const std::string& name,
                      const std::string& alternatives) {
  const std::string base = directory + "/" + name;
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=" +
      name + (alternatives.empty() ? "" : " -addext subjectAltName=" + alternatives) + " -keyout " +
      base + ".key -out " + base + ".crt 2>/dev/null";
  if (std::system(command.c_str()) != 0) {  // NOLINT(concurrency-mt-unsafe)
    throw std::runtime_error(command);
  }
}

}  // namespace docket::testing
