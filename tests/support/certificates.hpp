// Certificates for a test, made by the program openssl.
#pragma once

#include <string>

namespace docket::testing {

// Writes NAME.crt and NAME.key into `directory`: of an authority of its own, with NAME for its
// common name, and with alternative names where there are some: valid for localhost and 127.0.0.1.
// Throws where openssl fails.
void make_certificate(const std::string& directory, const std::string& name,
                      const std::string& alternatives = "DNS:localhost,IP:127.0.0.1");

}  // namespace docket::testing
