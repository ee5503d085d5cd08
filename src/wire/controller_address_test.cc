#include "wire/controller_address.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(ControllerAddress, IsReadAsItWasWritten) {
  const auto read = controller_address_from_text(controller_address_to_text({4711, "/run/user/1000/plz/a b.sock"}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->pid, 4711);
  EXPECT_EQ(read->socket, "/run/user/1000/plz/a b.sock");
}

TEST(ControllerAddress, OfAnotherFormIsNone) {
  for (const char* text :
       {"", "pid 4711\n", "socket /a\n", "pid x\nsocket /a\n", "pid 4711\nsocket a\n", "pid -1\nsocket /a"})
    EXPECT_FALSE(controller_address_from_text(text)) << text;
}

TEST(ControllerAddress, LinesThatAreNotKnownAreLeftAlone) {
  EXPECT_TRUE(controller_address_from_text("pid 1\nsince 7\nsocket /a\n"));
}

}  // namespace
}  // namespace plz
