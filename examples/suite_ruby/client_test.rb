# The client's own tests. They know nothing of the gate: endpoint and key come from the environment.
#
#     tracksync gate --scenario quick -- ruby examples/suite_ruby/client_test.rb --verbose

require "minitest/autorun"
require_relative "client"

class ClientTest < Minitest::Test
  def test_an_attribute_is_set
    Client.new.set("user-1", { "plan" => "trial" })
  end

  def test_an_attribute_is_replaced
    Client.new.set("user-1", { "plan" => "paid" })
  end

  def test_an_event_is_recorded
    Client.new.event("user-2", "signed up")
  end
end
