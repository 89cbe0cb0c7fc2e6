# A small client of POST /users/track/sync, which keeps the contract: it waits after a 429, tries again after a 5XX with
# pauses that grow, and reports success only where the response shows the update.

require "json"
require "net/http"
require "time"

class Client
  class Failed < StandardError; end

  ATTEMPTS = 6
  TIME_OUT = 60 # seconds
  NOT_APPLIED = [429, 502, 503].freeze # after these, nothing was applied
  LOST = [SystemCallError, IOError, Timeout::Error, Net::ProtocolError, JSON::ParserError].freeze

  def initialize(endpoint = ENV.fetch("BRAZE_REST_ENDPOINT"), key = ENV.fetch("BRAZE_API_KEY"))
    @uri = URI("#{endpoint.chomp("/")}/users/track/sync")
    @headers = { "Authorization" => "Bearer #{key}", "Content-Type" => "application/json" }
  end

  # Sets attributes of a user, and checks that the response shows them.
  def set(user, attributes)
    result = post({ attributes: [{ "external_id" => user, **attributes }] }, repeatable: true)
    shown = result.dig("users", 0, "custom_attributes") || {}
    attributes.each { |name, value| raise Failed, "#{name} was not applied" unless shown[name] == value }
  end

  # Records an event. It is not sent again when it is not known whether it was applied: it would count twice.
  def event(user, name)
    event = { external_id: user, name: name, time: Time.now.utc.iso8601(3) }
    result = post({ events: [event] }, repeatable: false)
    raise Failed, "#{name} was not applied" if (result["users"] || []).empty?
  end

  private

  def post(body, repeatable:)
    ATTEMPTS.times do |attempt|
      begin
        response = send_once(body)
        return JSON.parse(response.body) if response.code == "201"
      rescue *LOST
        # Without a whole response it is not known whether it was applied.
      end
      pause(response, attempt, repeatable)
    end
    raise Failed, "no success after #{ATTEMPTS} tries"
  end

  def send_once(body)
    options = { use_ssl: @uri.scheme == "https", open_timeout: TIME_OUT, read_timeout: TIME_OUT, max_retries: 0 }
    Net::HTTP.start(@uri.host, @uri.port, **options) { |http| http.post(@uri.path, JSON.generate(body), @headers) }
  end

  # Waits before the next try, or raises where there must be none.
  def pause(response, attempt, repeatable)
    status = response ? response.code.to_i : 0
    raise Failed, "refused with #{status}" if (400..499).cover?(status) && status != 429
    raise Failed, "it may have been applied" unless repeatable || NOT_APPLIED.include?(status)
    return sleep(0.2 * 2**attempt) unless status == 429

    # The clocks may differ: the pause is at least a second, and grows where the limit is still in force.
    sleep([response["x-ratelimit-reset"].to_f - Time.now.to_f + 0.05, 1.0 * (attempt + 1)].max)
  end
end
