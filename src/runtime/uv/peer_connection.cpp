#include "runtime/uv/peer_connection.h"

#include <cstring>
#include <utility>

#include "orrery/base/check.h"
#include "runtime/hmac.h"

namespace orrery::runtime {
namespace {

/// Between quiet nodes the failure detector's heartbeats flow; this is for links that have none.
constexpr uint32_t kKeepAliveSeconds = 15;

}  // namespace

PeerConnection::PeerConnection(UvLoop& loop, PeerConnectionOwner& owner, size_t frame_max_bytes)
    : loop_(loop), owner_(owner), decoder_(frame_max_bytes) {}

PeerConnection::~PeerConnection() {
  StopTimeout();
}

void PeerConnection::Dial(const GreetingIdentity& self, const std::string& host, uint16_t port,
                          uint32_t timeout_ms) {
  dial_.emplace(self, UnpredictableBytes(kNonceBytes));
  tcp_ = TcpConnection::Connect(loop_, host, port, *this);
  host_ = host;
  tcp_->Write(dial_->hello());
  StartTimeout(timeout_ms);
}

void PeerConnection::Accept(const GreetingIdentity& self, int fd, std::string_view received,
                            std::shared_ptr<void> ticket, uint32_t timeout_ms) {
  accept_.emplace(self, UnpredictableBytes(kNonceBytes));
  ticket_ = std::move(ticket);
  tcp_ = TcpConnection::Adopt(loop_, fd, *this);
  host_ = tcp_->PeerHost();
  StartTimeout(timeout_ms);
  AdvanceAccept(received);
}

void PeerConnection::StartTimeout(uint32_t timeout_ms) {
  timeout_ = loop_.After(uint64_t{timeout_ms} * 1000, [this, timeout_ms] {
    End({.text = "no greeting within " + std::to_string(timeout_ms) + " ms",
         .suspicious = accept_.has_value()});
  });
}

void PeerConnection::StopTimeout() {
  loop_.Cancel(std::exchange(timeout_, kNoTimer));
}

void PeerConnection::Prove(uint64_t known_incarnation, uint64_t dead_link) {
  proven_ = true;
  tcp_->Write(dial_->Proof(known_incarnation, dead_link));
}

void PeerConnection::Challenge() {
  tcp_->Write(accept_->Challenge());
}

void PeerConnection::Welcome(uint64_t known_incarnation) {
  tcp_->Write(accept_->Welcome(known_incarnation));
  BecomeUp();
}

void PeerConnection::Refuse(Refusal reason, uint64_t detail) {
  const std::shared_ptr<PeerConnection> keep = shared_from_this();
  phase_ = Phase::kEnded;
  tcp_->Write(accept_->Refuse(reason, detail));
  tcp_->Flush();
  Close();
}

void PeerConnection::Send(std::string frame) {
  ORRERY_CHECK(phase_ == Phase::kUp);
  AppendFrameHeader(frames_sent_++, FrameType::kMessage, frame, &tcp_->Buffer());
  tcp_->Write(std::move(frame));
}

void PeerConnection::PushOutput() {
  if (phase_ == Phase::kUp) tcp_->PushOutput();
}

void PeerConnection::Close() {
  phase_ = Phase::kEnded;
  StopTimeout();
  ticket_.reset();
  if (tcp_) tcp_->Close();
}

std::span<char> PeerConnection::PrepareRead(size_t hint) {
  if (phase_ == Phase::kUp) return decoder_.Prepare(hint);
  return greeting_room_;
}

void PeerConnection::OnRead(size_t n) {
  const std::shared_ptr<PeerConnection> keep = shared_from_this();
  if (phase_ == Phase::kUp) {
    decoder_.Commit(n);
    const uint64_t before = decoder_.frames();
    DeliverFrames();
    if (phase_ == Phase::kUp && decoder_.frames() == before) owner_.OnLinkBytes(*this);
  } else if (dial_) {
    AdvanceDial({greeting_room_.data(), n});
  } else {
    AdvanceAccept({greeting_room_.data(), n});
  }
}

void PeerConnection::AdvanceDial(std::string_view bytes) {
  while (phase_ == Phase::kGreeting) {
    switch (dial_->Feed(std::exchange(bytes, {}))) {
      case DialGreeting::Step::kNeedMore:
        return;
      case DialGreeting::Step::kChallenged:
        owner_.OnChallenged(*this);
        break;
      case DialGreeting::Step::kFailed: {
        const GreetingFailure& failure = dial_->failure();
        return End({.text = failure.text, .refused = failure.refused, .detail = failure.detail});
      }
      case DialGreeting::Step::kWelcomed: {
        proven_ = false;
        BecomeUp();
        const std::string_view rest = dial_->rest();
        if (!rest.empty()) {
          std::memcpy(decoder_.Prepare(2 * kGreetingMaxBytes).data(), rest.data(), rest.size());
          decoder_.Commit(rest.size());
        }
        owner_.OnWelcomed(*this);
        return DeliverFrames();
      }
    }
  }
}

void PeerConnection::AdvanceAccept(std::string_view bytes) {
  while (phase_ == Phase::kGreeting) {
    switch (accept_->Feed(std::exchange(bytes, {}))) {
      case AcceptGreeting::Step::kNeedMore:
        return;
      case AcceptGreeting::Step::kHello:
        owner_.OnHello(*this);
        break;
      case AcceptGreeting::Step::kProven:
        owner_.OnProven(*this);
        return;
      case AcceptGreeting::Step::kFailed: {
        if (!accept_->reply().empty()) {
          phase_ = Phase::kEnded;
          tcp_->Write(accept_->reply());
          tcp_->Flush();
          phase_ = Phase::kGreeting;
        }
        return End({.text = accept_->failure().text, .suspicious = true});
      }
    }
  }
}

void PeerConnection::BecomeUp() {
  phase_ = Phase::kUp;
  tcp_->LetOutputWait();
  StopTimeout();
  ticket_.reset();
  tcp_->SetKeepAlive(kKeepAliveSeconds);
}

void PeerConnection::DeliverFrames() {
  std::string_view frame;
  while (phase_ == Phase::kUp) {
    switch (decoder_.Next(&frame)) {
      case FrameDecoder::Outcome::kNeedMore:
        return;
      case FrameDecoder::Outcome::kFrame:
        owner_.OnLinkFrame(*this, frame);
        break;
      case FrameDecoder::Outcome::kCorrupt:
        return End({.text = decoder_.error(), .corrupt = true});
    }
  }
}

void PeerConnection::OnClosed(const Status& reason) {
  End({.text = reason.ok() ? "the other side closed it" : reason.message()});
}

void PeerConnection::End(PeerConnectionEnd end) {
  if (phase_ == Phase::kEnded) return;
  const std::shared_ptr<PeerConnection> keep = shared_from_this();
  end.host = host_;
  Close();
  owner_.OnEnded(*this, end);
}

}  // namespace orrery::runtime
