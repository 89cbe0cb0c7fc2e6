# Records a few exchanges with Ruby's VCR, once for each serializer and way of keeping bodies.
#
#   ruby tools/record-with-ruby.rb URL KEY FOLDER PREFIX
#
# tools/make-recordings starts it. It needs the gems vcr and webmock (Debian: ruby-vcr, ruby-webmock).
require "json"
require "net/http"
require "vcr"
require "webmock"

url, key, folder, prefix = ARGV
FORMS = {
  "plain.yml" => [:yaml, false],
  "plain.json" => [:json, false],
  "exact.yml" => [:yaml, true],
  "exact.json" => [:json, true],
}.freeze

def post(url, path, key, body, more = {})
  uri = URI.join(url, path)
  request = Net::HTTP::Post.new(uri, { "Content-Type" => "application/json", "Authorization" => "Bearer #{key}" }.merge(more))
  request.body = body
  Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
end

FORMS.each do |name, (serializer, exact)|
  VCR.configure do |config|
    config.cassette_library_dir = folder
    config.hook_into :webmock
    config.filter_sensitive_data("<BRAZE_API_KEY>") { key }
  end
  # A user for each cassette: the workspace keeps the state of earlier cassettes.
  user = "#{prefix}-#{name.tr(".", "-")}"
  event = { "events" => [{ "external_id" => user, "name" => "rented", "time" => "2022-12-06T19:20:45+01:00" }] }
  colours = { "attributes" => [{ "external_id" => user, "colour" => "gr\u00fcn", "seats" => 3 }] }
  options = { serialize_with: serializer, preserve_exact_body_bytes: exact, record: :all }
  VCR.use_cassette("#{prefix}-#{name.sub(/\..*/, "")}", options) do
    2.times { post(url, "/users/track/sync", key, JSON.generate(event)) }
    # With an explicit Accept-Encoding the body stays compressed; otherwise Net::HTTP unpacks it.
    packed = serializer == :json && !exact ? {} : { "Accept-Encoding" => "gzip" } # this JSON cannot hold packed bytes
    post(url, "/users/track/sync", key, JSON.generate(colours), packed)
    post(url, "/users/track", key, JSON.generate(event))
    post(url, "/users/track/sync", key, "{\"events\": \"\xff\xfe\"}".b) if exact
    Net::HTTP.get(URI.join(url, "/elsewhere"))
  end
end
