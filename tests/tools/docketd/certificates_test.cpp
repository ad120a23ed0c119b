#include "tools/docketd/certificates.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/certificates.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::server {
namespace {

TEST(Certificates, ThoseInUseStayWhereNewOnesAreFaulty) {
  const docket::testing::TemporaryDirectory directory;
  docket::testing::make_certificate(directory.path(), "a");
  docket::testing::make_certificate(directory.path(), "b");
  TlsSettings settings{directory / "a.crt", directory / "a.key", ""};
  Certificates certificates;
  EXPECT_EQ(certificates.current(), nullptr);
  EXPECT_TRUE(certificates.read(TlsSettings()));
  EXPECT_EQ(certificates.current(), nullptr);
  ASSERT_TRUE(certificates.read(settings));
  const auto first = certificates.current();
  ASSERT_NE(first, nullptr);
  // Half of a renewal: the key of another certificate.
  std::filesystem::copy_file(directory / "b.crt", directory / "a.crt",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(certificates.read(settings));
  EXPECT_EQ(certificates.current(), first);
  std::filesystem::copy_file(directory / "b.key", directory / "a.key",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(certificates.read(settings));
  EXPECT_NE(certificates.current(), first);
}

}  // namespace
}  // namespace docket::server
